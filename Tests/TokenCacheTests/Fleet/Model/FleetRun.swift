import FleetModel
import FleetProtocol
import Foundation
import TestSupport
import TokenProtocol

@testable import TokenCache

/// A run of several caches with a model of the engine, a network that delays and loses, and a clock of its own.
///
/// A seed decides everything, so that a run can be repeated.
final class FleetRun {
    /// A broken promise.
    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    /// Something that happens at a time.
    enum Event {
        case request
        case wake(Int)
        case order(Int, FleetOrder, Message)
        case reply(Int, Reply, Message)
        case timeout(Int, FleetMachine.Question, asked: UInt64)
        case tenant(Int, CallOrder, life: Int, sent: Instant)
        case read(Int, link: Int)
        case connect(Int, link: Int)
        case fault
        case mend(Int)
        case rotate(Int, keys: [Int])
        case setEngineClock(Int64)
    }

    /// A message to the engine, or its answer.
    struct Message {
        /// The number of the connection.
        let link: Int
        /// The time by the machine's own clock.
        let sent: Instant
        /// The number of the question, or zero if nothing is asked.
        let asked: UInt64
    }

    /// An answer of the second level on its way.
    enum Reply {
        case look(CallID, FleetAnswer)
        case drop(FleetDropID, FleetDropAnswer)
        case claim(CallID, Bool)
        case limits(FleetLimits)
    }

    static let tenant = TenantID(number: 1, name: "main")
    static let start = ContinuousClock.Instant.wholeMicrosecond
    static let wall = Date(timeIntervalSince1970: 1_795_000_000)
    /// The time after which a call to the engine counts as not answered.
    static let timeout = Duration.milliseconds(100)

    let scene: FleetScene
    let policy: TenantPolicy
    var random: SeededRandom
    var now = FleetRun.start
    var machines: [FleetMachine] = []
    var events = IndexedHeap<Instant, Event>()
    var engine = EngineModel(epoch: "epoch-0")
    /// An earlier state of the engine, which a failover falls back to.
    var replica = EngineModel(epoch: "epoch-0")
    var replicaTime = FleetRun.start
    var epochs = 0
    /// The details of events, by the number that stands for them.
    var details: [EventDetails] = []
    /// The tokens, by the number in their texts.
    var tokens: [MintedInRun] = []
    /// The payments that the engine has taken.
    var payments = 0
    /// The calls that were sent to the tenant.
    var calls = 0
    /// The mints under way by user.
    var mintsUnderWay: [Int: Int] = [:]
    /// The times at which the calls for the latest tokens were sent.
    var lastMints: [Int: Instant] = [:]
    /// The times at which there was last a reason to mint a user's token anew.
    var reasons: [Int: Instant] = [:]
    /// The latest logout of each user that the engine has noted.
    var notedLogouts: [Int: NotedLogout] = [:]
    /// The difference of the engine's clock from the right time, in milliseconds.
    var engineClockError: Int64 = 0
    /// The times of logouts by machine and drop.
    var dropTimes: [DropName: Instant] = [:]
    var lastWaiter: UInt64 = 0
    var lastQuestion: UInt64 = 0
    var tally = FleetTally()
    let endOfRequests: Instant
    /// A token that was found although the engine had noted its logout.
    var foundAfterLogout: String?
    /// True if messages are lost or slow.
    var isFaulty = false

    /// A drop of one machine.
    struct DropName: Hashable {
        let machine: Int
        /// The number of its daemon.
        let life: Int
        let id: FleetDropID
    }

    /// A minted token.
    struct MintedInRun {
        let user: Int
        let sent: Instant
        let lifetime: Duration
        /// The machine that has revoked it, and the time.
        var revoked: (machine: Int, at: Instant)?
    }

    /// A logout that the engine has noted.
    struct NotedLogout {
        /// The time of the logout itself.
        let time: Instant
        /// The time at which the engine has noted it.
        let noted: Instant
    }

    /// The content of an event of the stream.
    enum EventDetails {
        case drop(FleetDrop, at: Instant, keys: [Int])
        case changed(TokenKey)
        case hold
    }

    init(seed: UInt64, _ scene: FleetScene) throws {
        self.scene = scene
        random = SeededRandom(seed: seed)
        var policy = TenantPolicy(
            identity: .init(host: "https://one.example", clientID: "client"),
            ratePerMinute: scene.ratePerMinute,
            burst: scene.burst
        )
        policy.timeout = .seconds(10)
        self.policy = policy
        endOfRequests = Self.start + scene.length
        engine.eventLimit = scene.eventLimit
        replica = engine
        isFaulty = scene.faults != .none
        for number in 0..<scene.machines {
            // A thousandth is more than what any quartz is wrong by.
            let rate = 0.9995 + Double(random.below(1_001)) * 1e-6
            let kept = try KeptTokens()
            let cache = try cache(in: kept.memory())
            machines.append(FleetMachine(cache, kept, rate: rate, now: now))
            _ = machines[number].cache.setFleet(FleetPolicy(machines: scene.machines), now: now)
            at(.milliseconds(number), .connect(number, link: 0))
        }
        planRotation()
        at(.seconds(1), .request)
        if isFaulty { at(.seconds(5), .fault) }
    }

    /// The name of a user.
    static func key(_ user: Int) -> TokenKey { .of("user-\(user)", tenant: tenant) }

    /// The number of a key's user.
    static func user(of key: TokenKey) -> Int { number(in: key.user.user.value) }

    /// The number at the end of a text.
    static func number(in text: [UInt8]) -> Int {
        Int(String(decoding: text, as: UTF8.self).split(separator: "-").last ?? "") ?? -1
    }

    /// The engine's time.
    var engineTime: Int64 { 1_000_000 + Int64((now - Self.start).inSeconds * 1_000) + engineClockError }

    /// The time by a machine's own clock.
    func time(of number: Int) -> Instant { Self.start + (now - Self.start) * machines[number].rate }

    /// The time of day by a machine's wall clock.
    func wall(of number: Int) -> Date { Self.wall.addingTimeInterval(machines[number].wallError) }

    /// Creates the cache of a daemon.
    func cache(in memory: CacheMemory) -> CacheStateMachine {
        CacheStateMachine(
            policy: CachePolicy(),
            tenants: [Self.tenant: policy],
            memory: memory,
            random: SeededRandom(seed: random.next()),
            now: now
        )
    }

    @discardableResult
    func at(_ delay: Duration, _ event: Event) -> IndexedHeap<Instant, Event>.Handle {
        events.insert(event, at: now + delay)
    }

    // MARK: Running

    /// Runs to the end.
    func run() throws {
        let end = endOfRequests + scene.rest
        while let (time, _) = events.min, time <= end, let event = events.removeMin() {
            now = max(now, time)
            try perform(event)
        }
        now = end
        try checkRest()
    }

    private func perform(_ event: Event) throws {
        switch event {
        case .request: try makeRequest()
        case .wake(let number):
            machines[number].wake = nil
            try feed(number) { $0.timePassed(now: $1) }
            try checkWaits(of: number)
        case .order(let number, let order, let message): arrive(number, order, message)
        case .reply(let number, let reply, let message): try take(reply, number, message)
        case .timeout(let number, let question, let asked): try giveUp(question, number, asked: asked)
        case .tenant(let number, let order, let life, let sent):
            try answer(order, number, isLost: life != machines[number].life, sent: sent)
        case .read(let number, let link): try read(number, link: link)
        case .connect(let number, let link): try connect(number, link: link)
        case .fault: try makeFault()
        case .mend(let number):
            machines[number].isCut = false
            at(.milliseconds(10), .connect(number, link: machines[number].link))
        case .rotate(let number, let keys):
            machines[number].keys = keys
            tally.count(.newKey)
        case .setEngineClock(let error): engineClockError = error
        }
    }

    /// Lets a machine's cache handle an event, and performs its actions.
    func feed(_ number: Int, _ event: (inout CacheStateMachine, Instant) -> CacheActions) throws {
        let time = time(of: number)
        try take(event(&machines[number].cache, time), number)
    }

    func take(_ actions: CacheActions, _ number: Int) throws {
        if let wake = machines[number].wake { events.remove(wake) }
        machines[number].wake = actions.wake.map {
            // Rounded up, so that the machine's clock has come to its time.
            let time = Self.start + ($0 - Self.start) / machines[number].rate + .microseconds(1)
            return events.insert(.wake(number), at: max(now, time))
        }
        for order in actions.fleetOrders { send(order, number) }
        for order in actions.calls { try call(order, number) }
        for delivery in actions.deliveries { try receive(delivery, number) }
    }
}
