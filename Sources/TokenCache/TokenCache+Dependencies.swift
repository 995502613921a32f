extension TokenCache {
    /// Everything that the cache needs from outside.
    ///
    /// Each closure is called on its executor.
    package struct Dependencies: Sendable {
        /// Reads the clock that keeps running during suspend.
        package var now: @Sendable () -> Instant
        /// Sets the timer that calls ``timePassed()``, or cancels it.
        package var wake: @Sendable (_ at: Instant?) -> Void
        /// Sends a reply to a request that waited.
        package var deliver: @Sendable (Delivery) -> Void
        /// Tells operators something.
        ///
        /// It must not block.
        package var notify: @Sendable (CacheNotice) -> Void
        /// Writes a record to the audit trail.
        ///
        /// It must not block.
        package var audit: @Sendable (AuditRecord) -> Void
        /// Asks or tells the second level something.
        ///
        /// It must not block. What has an ID is answered by exactly one call of a method of the cache.
        package var fleet: @Sendable (FleetOrder) -> Void

        /// Creates dependencies that read the system's clock by default.
        package init(
            now: @escaping @Sendable () -> Instant = { ContinuousClock.now },
            wake: @escaping @Sendable (_ at: Instant?) -> Void,
            deliver: @escaping @Sendable (Delivery) -> Void,
            notify: @escaping @Sendable (CacheNotice) -> Void,
            audit: @escaping @Sendable (AuditRecord) -> Void,
            fleet: @escaping @Sendable (FleetOrder) -> Void = { _ in }
        ) {
            self.now = now
            self.wake = wake
            self.deliver = deliver
            self.notify = notify
            self.audit = audit
            self.fleet = fleet
        }
    }
}
