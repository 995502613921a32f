extension StatsReply {
    /// The state of a tenant, and of the calls to it.
    package struct Tenant: Sendable, Equatable, Codable {
        package var state = CircuitState.closed
        /// The time in seconds until the circuit lets a call go, or nil if it does now.
        @Nullable package var openFor: Double?
        /// The number of times that the circuit has opened.
        package var openings = 0
        /// The time in seconds for which the tenant takes no calls, or nil if it takes them.
        @Nullable package var hold: Double?
        package var client = ClientState.trusted
        /// The number of further clients that the tenant refuses.
        package var refusedClients = 0
        /// The number of calls that could go at once.
        package var rateTokens = 0.0
        /// The number of calls that are allowed in a minute.
        package var ratePerMinute = 0
        /// The number of calls that are allowed at once after a pause.
        package var burst = 0
        package var inFlight = 0
        package var queued = Queued()
        /// The time in seconds since a call last succeeded, or nil if none has.
        @Nullable package var lastSuccess: Double?
        /// The last failure of a call, or nil if none has failed.
        @Nullable package var lastError: LastError?
        /// The calls of the API for users, or nil if nobody may be provisioned.
        package var api: API?
        package init() {}

        private enum CodingKeys: String, CodingKey {
            case state
            case openFor = "open_for"
            case openings, hold, client
            case refusedClients = "refused_clients"
            case rateTokens = "rate_tokens"
            case ratePerMinute = "rate_per_minute"
            case burst
            case inFlight = "in_flight"
            case queued
            case lastSuccess = "last_success"
            case lastError = "last_error"
            case api
        }
    }
}

extension StatsReply.Tenant {
    /// Calls of each rank that wait for their turn.
    package struct Queued: Sendable, Equatable, Codable, Omissible {
        package var callers = 0
        package var prefetches = 0
        package var refreshes = 0
        package init() {}
    }

    /// A call's failure.
    package struct LastError: Sendable, Equatable, Codable {
        /// The code on the wire.
        package var code: String
        /// A sentence for people.
        package var description: String
        /// The time in seconds since the failure.
        package var ago: Double

        package init(code: String, description: String, ago: Double) {
            self.code = code
            self.description = description
            self.ago = ago
        }

        private enum CodingKeys: String, CodingKey {
            case code = "error"
            case description = "error_description"
            case ago
        }
    }
}
