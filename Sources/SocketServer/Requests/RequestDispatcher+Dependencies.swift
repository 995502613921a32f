package import OperatorReplies
package import TokenCache
package import TokenProtocol

extension RequestDispatcher {
    /// The parts of the daemon that a dispatcher uses, besides the cache.
    package struct Dependencies {
        /// The daemon's version.
        package var version: String
        /// The clock that goes on while the machine is suspended.
        package var now: @Sendable () -> Instant
        /// Reads the configuration again.
        ///
        /// The reply is delivered to the request that asked for it.
        package var reload: (Waiter, Peer) -> Void
        /// Renders the metrics.
        ///
        /// The reply is delivered to the request that asked for it. Returns false if too many wait already.
        package var metrics: (Waiter) -> Bool
        /// Writes a record to the audit trail, without blocking.
        package var audit: (AuditRecord) -> Void
        /// Looks up the names of a peer's user and groups.
        ///
        /// Another policy follows if there are new ones.
        package var askForNames: (Peer) -> Void
        /// Sets the level of the log.
        package var setLogLevel: (LogLevelRequest) -> Void
        /// The check of the log's level, or nil if it is the configured one.
        package var logCheck: () -> HealthReply.Check?
        /// Adds the server's connections to the statistics.
        package var fillConnections: (inout StatsReply) -> Void
        /// Adds the state of the fleet to the statistics, if the daemon is in one.
        package var fillFleet: (inout StatsReply) -> Void

        /// Creates a set of dependencies.
        package init(
            version: String,
            now: @escaping @Sendable () -> Instant,
            reload: @escaping (Waiter, Peer) -> Void,
            metrics: @escaping (Waiter) -> Bool = { _ in false },
            audit: @escaping (AuditRecord) -> Void,
            askForNames: @escaping (Peer) -> Void = { _ in },
            setLogLevel: @escaping (LogLevelRequest) -> Void = { _ in },
            logCheck: @escaping () -> HealthReply.Check? = { nil },
            fillConnections: @escaping (inout StatsReply) -> Void,
            fillFleet: @escaping (inout StatsReply) -> Void = { _ in }
        ) {
            self.version = version
            self.now = now
            self.reload = reload
            self.metrics = metrics
            self.audit = audit
            self.askForNames = askForNames
            self.setLogLevel = setLogLevel
            self.logCheck = logCheck
            self.fillConnections = fillConnections
            self.fillFleet = fillFleet
        }
    }
}
