extension StandInTenant {
    /// A limit on calls, as a token bucket has it.
    package struct RateLimit: Sendable, Equatable {
        /// Calls that the bucket gains a minute; the tenant's tier 2 has 100.
        package var perMinute: Int
        /// Calls that a full bucket holds.
        package var burst: Int

        /// A limit; without a burst, a minute's calls may come at once.
        ///
        /// Both are at least 1.
        package init(perMinute: Int = 100, burst: Int? = nil) {
            self.perMinute = max(1, perMinute)
            self.burst = max(1, burst ?? perMinute)
        }
    }
}
