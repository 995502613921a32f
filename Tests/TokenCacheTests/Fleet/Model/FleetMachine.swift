import TokenProtocol

@testable import TokenCache

/// A machine of a simulated fleet, with its connection to the engine.
struct FleetMachine {
    /// Something that the second level answers.
    enum Question: Hashable {
        case call(CallID)
        case drop(FleetDropID)
        case claim(CallID)
    }

    /// A request that waits.
    struct Request {
        let user: Int
        let since: Instant
        let deadline: Instant
    }

    /// The place in the stream of events up to which the machine has read.
    struct Place {
        var id: String
        var count: Int64
        var epoch: String
    }

    var cache: CacheStateMachine
    /// The tokens that the next daemon takes over.
    var kept: KeptTokens
    /// The number of daemons so far, which names the machine in events.
    var life = 0
    /// The rate of its clock, as a share of the right one.
    let rate: Double
    /// The difference of its wall clock from the right time, in seconds.
    var wallError = 0.0
    /// The numbers of its keys, the one that seals first.
    var keys = [0]
    /// The highest fence that it has heard of, which it tells each process of the engine.
    var highestFence: Int64 = 0
    /// The time of its connection.
    var connectedAt: Instant?
    var wake: IndexedHeap<Instant, FleetRun.Event>.Handle?
    /// The number of the connection, which a cut raises.
    var link = 0
    /// The engine's process that it is connected to, or nil if it isn't.
    var epoch: String?
    /// True if the network is cut.
    var isCut = false
    var lastArrival: Instant
    var lastReturn: Instant
    /// The answers that the cache awaits, with the number under which it was asked.
    var questions: [Question: UInt64] = [:]
    var place: Place?
    var requests: [Waiter: Request] = [:]
    /// The times of the daemon's own logouts of each user that it has not sent yet, the earliest first.
    var unsentLogouts: [Int: [Instant]] = [:]
    /// The time of the latest logout of each user of which the machine knows.
    var logouts: [Int: Instant] = [:]

    init(_ cache: CacheStateMachine, _ kept: KeptTokens, rate: Double, now: Instant) {
        (self.cache, self.kept, self.rate) = (cache, kept, rate)
        (lastArrival, lastReturn) = (now, now)
    }
}
