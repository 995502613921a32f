import FleetModel
import FleetProtocol
import TestSupport
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
    /// The time of the latest logout of each user of which the machine knows.
    var logouts: [Int: Instant] = [:]

    init(tenant: TenantID, policy: TenantPolicy, seed: UInt64, machines: Int, now: Instant) {
        cache = CacheStateMachine(
            policy: CachePolicy(),
            tenants: [tenant: policy],
            memory: .anonymous(),
            random: SeededRandom(seed: seed),
            now: now
        )
        _ = cache.setFleet(FleetPolicy(machines: machines), now: now)
        (lastArrival, lastReturn) = (now, now)
    }
}
