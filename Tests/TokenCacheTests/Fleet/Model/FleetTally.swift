/// The counts of simulated fleets.
struct FleetTally {
    /// Something that a run may meet.
    ///
    /// A set of seeds that never meets one says nothing of it.
    enum Fault: CaseIterable {
        case failedMint
        case newKey
        case lostMessage
        case slowMessage
        case cut
        case emptiedEngine
        case engineRestart
        case failover
        case engineClockAhead
        case wallClockJump
        case machineRestart
        case repeatedDrop
        case lostEvents
        case dropOfOtherKey
    }

    /// The number of times that each fault happened.
    private(set) var faults: [Fault: Int] = [:]
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

    mutating func count(_ fault: Fault) { faults[fault, default: 0] += 1 }

    /// Adds another run.
    mutating func add(_ other: FleetTally) {
        faults.merge(other.faults) { $0 + $1 }
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
            \(unavailable) unanswered, \(lostEvents) times lost events, longest wait \(longestWait), \
            \(Fault.allCases.map { "\($0): \(faults[$0] ?? 0)" }.joined(separator: ", "))
            """
    }
}
