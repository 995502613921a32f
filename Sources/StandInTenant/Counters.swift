extension StandInTenant {
    /// What the stand-in has counted since it started, or since the counters were reset.
    package struct Counters: Sendable, Equatable {
        /// Calls of the token endpoint, counted when they arrive, whatever they get.
        package var calls = 0
        /// Calls of the revocation endpoint, likewise.
        package var revocations = 0
        /// Replies sent that carry a token.
        package var mints = 0
        /// Calls by the key that they name, those that are refused or fail included.
        package var callsByKey: [MintKey: Int] = [:]
        /// Replies sent that carry a token, by the key that it was asked for by.
        package var mintsByKey: [MintKey: Int] = [:]
        /// Requests that broke the contract.
        package var violations = 0
        /// Calls with a client id or secret that isn't accepted; they break no rule.
        package var refusedClients = 0
        /// Calls refused by the stand-in's rate limit.
        package var throttled = 0
        /// Requests that came because somebody followed a redirect.
        package var redirectsFollowed = 0
        /// Connections accepted.
        package var connections = 0
        /// Connections open now; a reset of the counters leaves it.
        package var openConnections = 0
        /// Calls (tokens and revocations) that have no complete reply yet; a reset leaves it.
        package var inProgress = 0
        /// The most that `inProgress` has been.
        package var peakConcurrency = 0
        /// Replies that wait at the gate; a reset leaves it.
        package var held = 0

        /// Nothing counted.
        package init() {}
    }
}
