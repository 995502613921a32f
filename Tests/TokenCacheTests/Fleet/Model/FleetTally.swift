/// The counts of simulated fleets.
struct FleetTally {
    var requests = 0
    /// The tokens that the tenant minted.
    var mints = 0
    /// The lives of tokens that were used: each begins with a mint that no other machine had to make.
    var lives = 0
    /// The runs of the engine's scripts.
    var engineCalls = 0
    var fleetHits = 0
    var leftToOthers = 0
    var logouts = 0
    var failovers = 0
    var unavailable = 0
    var lostEvents = 0
    var longestWait = Duration.zero

    /// Adds another run.
    mutating func add(_ other: FleetTally) {
        requests += other.requests
        mints += other.mints
        lives += other.lives
        engineCalls += other.engineCalls
        fleetHits += other.fleetHits
        leftToOthers += other.leftToOthers
        logouts += other.logouts
        failovers += other.failovers
        unavailable += other.unavailable
        lostEvents += other.lostEvents
        longestWait = max(longestWait, other.longestWait)
    }
}

extension FleetTally: CustomStringConvertible {
    /// The figures that matter: calls per token's life, engine calls per request, and the longest wait.
    var description: String {
        let perLife = Double(mints) / Double(max(1, lives))
        let perRequest = Double(engineCalls) / Double(max(1, requests))
        return """
            \(requests) requests, \(mints) mints, \(perLife) a life, \(engineCalls) engine calls, \(perRequest) a request, \
            \(fleetHits) fleet hits, \(leftToOthers) left to others, \(logouts) logouts, \(failovers) failovers, \
            \(unavailable) unanswered, \(lostEvents) times lost events, longest wait \(longestWait)
            """
    }
}
