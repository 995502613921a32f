extension StatsReply.Tenant {
    /// The state of a tenant's API for users, and of the calls to it.
    package struct API: Sendable, Equatable, Codable {
        package var state = CircuitState.closed
        /// The time in seconds until the circuit lets a call go, or nil if it does now.
        @Nullable package var openFor: Double?
        /// The number of times that the circuit has opened.
        package var openings = 0
        /// The time in seconds for which the API takes no calls, or nil if it takes them.
        @Nullable package var hold: Double?
        /// The number of calls that could go at once.
        package var rateTokens = 0.0
        /// The number of calls that are allowed in a minute.
        package var ratePerMinute = 0
        /// The number of calls that are allowed at once after a pause.
        package var burst = 0
        package var inFlight = 0
        package var queued = 0
        package init() {}

        private enum CodingKeys: String, CodingKey {
            case state
            case openFor = "open_for"
            case openings, hold
            case rateTokens = "rate_tokens"
            case ratePerMinute = "rate_per_minute"
            case burst
            case inFlight = "in_flight"
            case queued
        }
    }
}

extension StatsReply {
    /// Users by what was done for them at the tenants.
    package struct Users: Sendable, Equatable, Codable {
        /// Users who were there as requested.
        package var found = 0
        package var created = 0
        /// Users whose groups were changed, created ones included.
        package var changed = 0
        /// Users whom a tenant denies, or has several of.
        package var refused = 0
        /// Requests that were answered from memory.
        package var remembered = 0
        /// Tokens that were revoked by an API.
        package var tokensRevoked = 0
        /// Provisions and logouts that have not ended.
        package var underWay = 0
        package init() {}

        private enum CodingKeys: String, CodingKey {
            case found, created, changed, refused, remembered
            case tokensRevoked = "tokens_revoked"
            case underWay = "under_way"
        }
    }
}
