import FleetModel
import FleetProtocol
import Foundation
import Secrets
import TokenCache
import TokenProtocol
import TokenStorage

/// Many users whose requests go to the machines of a fleet, with a clock of its own.
struct FleetOfUsers {
    /// Something that happens at a time.
    enum Event {
        case request
        case wake(Int)
        case order(Int, FleetOrder, link: Int, asked: UInt64, sent: Duration)
        case reply(Int, Reply, link: Int, asked: UInt64)
        case timeout(Int, Question, asked: UInt64)
        case minted(Int, CallOrder, sent: Duration)
        case news(Int, FleetEvent, link: Int)
        case cut(Int)
        case connect(Int)
    }

    /// Something that the engine answers.
    enum Question: Hashable {
        case call(CallID)
        case drop(FleetDropID)
        case claim(CallID)
    }

    /// An answer of the engine on its way.
    enum Reply {
        case look(CallID, FleetAnswer)
        case drop(FleetDropID, FleetDropAnswer)
        case claim(CallID, Bool)
        case limits(FleetLimits)
    }

    /// A cache, with its connection to the engine.
    struct Machine {
        var cache: CacheStateMachine
        var wake: Duration?
        /// The number of the connection, which a cut raises.
        var link = 0
        var isConnected = false
        /// The last event that it had read when it was cut off, or nil if it has never been.
        var lastEvent: (id: String, count: Int64)?
        var questions: [Question: UInt64] = [:]
        /// The times since which requests wait.
        var requests: [UInt64: Duration] = [:]
    }

    static let tenant = TenantID(number: 1, name: "main")
    private static let peer = Peer(uid: 1, gid: 1)
    private static let scopes = [ScopeSet("user_default")].compactMap(\.self)[0]
    private static let start = ContinuousClock.now

    let scenario: FleetScenario
    let policy: TenantPolicy
    var machines: [Machine] = []
    var events = EventQueue<Event>()
    var engine = EngineModel(epoch: "one")
    /// The time since the start.
    var now = Duration.zero
    var random = SimulationRandom(seed: 1)
    var totals = FleetTotals()
    /// The times of the last mints of users.
    private var lastMints: [Duration?]
    /// The machines that were told to wait for a user's token.
    var waiting: [Int: [Int]] = [:]
    /// The drops that are events of the stream, by number.
    var drops: [FleetDrop] = []
    private var lastTicket: UInt64 = 0
    private var lastQuestion: UInt64 = 0

    init(_ scenario: FleetScenario) {
        self.scenario = scenario
        policy = scenario.tenant
        lastMints = Array(repeating: nil, count: scenario.users)
        for number in 0..<scenario.machines {
            guard let storage = TokenStorage(in: AnonymousPages()) else { fatalError("there are no addresses left") }
            let cache = CacheStateMachine(
                policy: scenario.cache,
                tenants: [Self.tenant: policy],
                memory: CacheMemory(storage: storage, clock: BootClock(), secrets: nil),
                random: SimulationRandom(seed: UInt64(number) + 2),
                now: Self.start
            )
            machines.append(Machine(cache: cache))
        }
    }

    /// Runs to the end, and returns what was counted.
    mutating func run() -> FleetTotals {
        for number in machines.indices {
            feed(number) { $0.setFleet(FleetPolicy(machines: $1), now: $2) }
            events.add(.connect(number), at: .zero)
            if scenario.hasFaults { events.add(.cut(number), at: random.duration(upTo: scenario.cuts.every * 2)) }
        }
        events.add(.request, at: .milliseconds(10))
        var isWarm = false
        while let (time, event) = events.removeFirst(), time <= scenario.length {
            now = time
            if !isWarm, now >= scenario.warmUp { (isWarm, totals) = (true, FleetTotals()) }
            perform(event)
        }
        return totals
    }

    private mutating func perform(_ event: Event) {
        switch event {
        case .request: request()
        case .wake(let number):
            guard machines[number].wake == now else { return }
            machines[number].wake = nil
            feed(number) { $0.timePassed(now: $2) }
        case .order(let number, let order, let link, let asked, let sent):
            guard link == machines[number].link, let reply = perform(order, of: number, sent: instant(sent)), !isLost
            else { return }
            events.add(.reply(number, reply, link: link, asked: asked), at: now + scenario.way)
        case .reply(let number, let reply, let link, let asked):
            if link == machines[number].link { take(reply, number, asked) }
        case .timeout(let number, let question, let asked): giveUp(question, number, asked)
        case .minted(let number, let order, let sent): ended(order, number, sent)
        case .news(let number, let news, let link):
            if link == machines[number].link { feed(number) { $0.fleetHappened(news, now: $2) } }
        case .cut(let number): cut(number)
        case .connect(let number): connect(number)
        }
    }

    /// The time as the caches have it.
    func instant(_ time: Duration) -> Instant { Self.start + time }

    // MARK: Requests

    static func key(_ user: Int) -> TokenKey {
        TokenKey(tenant: tenant, user: UserLookup(field: .subject, value: "user-\(user)"), scopes: scopes)
    }

    /// Returns the number at the end of a text.
    static func number(in text: [UInt8]) -> Int {
        text[(text.lastIndex(of: UInt8(ascii: "-")).map { $0 + 1 } ?? 0)...].reduce(0) { $0 * 10 + Int($1) - 48 }
    }

    private mutating func request() {
        events.add(.request, at: now + random.duration(upTo: scenario.pause * 2))
        let (number, user) = (random.below(machines.count), random.below(scenario.users))
        lastTicket += 1
        let waiter = Waiter(connection: 1, ticket: lastTicket)
        let time = instant(now)
        guard random.below(scenario.requestsPerLogout) > 0 else {
            lastMints[user] = nil
            let outcome = machines[number].cache
                .revoke(Self.key(user).user, scopes: nil, waiter: waiter, for: Self.peer, now: time)
            if outcome.answer == nil { machines[number].requests[lastTicket] = now }
            return take(outcome.actions, number)
        }
        totals.requests += 1
        let options = RequestOptions(peer: Self.peer)
        let outcome = machines[number].cache.request(Self.key(user), options, waiter: waiter, now: time)
        switch outcome.answer {
        case .wait: machines[number].requests[lastTicket] = now
        case .serve, .serveAndRefresh: totals.hits += 1
        case .fail: totals.errors += 1
        }
        take(outcome.actions, number)
    }

    /// Lets a machine's cache handle an event, and performs its actions.
    mutating func feed(_ number: Int, _ event: (inout CacheStateMachine, Int, Instant) -> CacheActions) {
        let actions = event(&machines[number].cache, machines.count, instant(now))
        take(actions, number)
    }

    private mutating func take(_ actions: CacheActions, _ number: Int) {
        let wake = actions.wake.map { max(now, $0 - Self.start) }
        if let wake, wake != machines[number].wake { events.add(.wake(number), at: wake) }
        machines[number].wake = wake
        for order in actions.fleetOrders { send(order, number) }
        for order in actions.calls { call(order, number) }
        for delivery in actions.deliveries {
            guard let since = machines[number].requests.removeValue(forKey: delivery.waiter.ticket) else { continue }
            totals.longestWait = max(totals.longestWait, now - since)
            if case .error = delivery.reply { totals.errors += 1 }
        }
    }

    // MARK: The tenant

    private mutating func call(_ order: CallOrder, _ number: Int) {
        if case .mint(_, let key, _) = order {
            let user = Self.number(in: key.user.user.value)
            totals.mints += 1
            if lastMints[user].map({ now - $0 > scenario.lifetime / 2 }) ?? true {
                totals.lives += 1
                lastMints[user] = now
            }
        }
        let (shortest, longest) = scenario.mintTime
        events.add(.minted(number, order, sent: now), at: now + shortest + random.duration(upTo: longest - shortest))
    }

    private mutating func ended(_ order: CallOrder, _ number: Int, _ sent: Duration) {
        switch order {
        case .mint(let call, let key, _):
            let token = AccessToken("token-\(Self.number(in: key.user.user.value))")
            let outcome = MintOutcome.minted(token, scope: nil, lifetime: scenario.lifetime)
            feed(number) { $0.ended(call, outcome, now: $2, wall: Date(timeIntervalSince1970: 1_795_000_000)) }
        case .revoke(let call, _, _, _): feed(number) { $0.revocationEnded(call, .accepted, now: $2) }
        case .mintForClient, .api: break
        }
    }

    // MARK: The network

    /// True if a message is lost.
    private var isLost: Bool {
        mutating get { scenario.hasFaults && random.below(scenario.messagesPerLoss) == 0 }
    }

    private mutating func send(_ order: FleetOrder, _ number: Int) {
        var asked: UInt64 = 0
        let isAway = !machines[number].isConnected
        if let question = order.question {
            lastQuestion += 1
            asked = lastQuestion
            machines[number].questions[question] = asked
            // Without faults every question is answered.
            if scenario.hasFaults || isAway {
                let time = isAway ? .milliseconds(1) : scenario.timeout
                events.add(.timeout(number, question, asked: asked), at: now + time)
            }
        }
        guard !isAway, !isLost else { return }
        let link = machines[number].link
        events.add(.order(number, order, link: link, asked: asked, sent: now), at: now + scenario.way)
    }

    private mutating func take(_ reply: Reply, _ number: Int, _ asked: UInt64) {
        if let question = reply.question {
            guard machines[number].questions[question] == asked else { return }
            machines[number].questions[question] = nil
        }
        switch reply {
        case .look(let call, let answer): feed(number) { $0.fleetAnswered(call, answer, now: $2) }
        case .drop(let drop, let answer): feed(number) { $0.fleetDropAnswered(drop, answer, now: $2) }
        case .claim(let call, let isOurs): feed(number) { $0.revocationClaimed(call, isOurs, now: $2) }
        case .limits(let limits): feed(number) { $0.fleetHappened(.limits(Self.tenant, limits), now: $2) }
        }
    }

    private mutating func giveUp(_ question: Question, _ number: Int, _ asked: UInt64) {
        guard machines[number].questions[question] == asked else { return }
        machines[number].questions[question] = nil
        switch question {
        case .call(let call): feed(number) { $0.fleetAnswered(call, FleetAnswer(.unavailable), now: $2) }
        case .drop(let drop): feed(number) { $0.fleetDropAnswered(drop, nil, now: $2) }
        case .claim(let call): feed(number) { $0.revocationClaimed(call, true, now: $2) }
        }
    }

    private mutating func cut(_ number: Int) {
        events.add(.cut(number), at: now + scenario.cuts.longest + random.duration(upTo: scenario.cuts.every * 2))
        guard machines[number].isConnected else { return }
        machines[number].isConnected = false
        machines[number].link += 1
        machines[number].lastEvent = lastEvent
        feed(number) { $0.fleetHappened(.disconnected(Self.tenant), now: $2) }
        events.add(.connect(number), at: now + random.duration(upTo: scenario.cuts.longest))
    }
}

extension FleetOrder {
    /// The answer that is awaited, or nil if there is none.
    fileprivate var question: FleetOfUsers.Question? {
        switch self {
        case .look(let call, _), .pay(let call, _, _): .call(call)
        case .drop(let drop, _): .drop(drop)
        case .claimRevocation(let call, _, _): .claim(call)
        case .store, .release, .renew, .hold, .state: nil
        }
    }
}

extension FleetOfUsers.Reply {
    /// The question that it answers, or nil if it is none.
    fileprivate var question: FleetOfUsers.Question? {
        switch self {
        case .look(let call, _): .call(call)
        case .drop(let drop, _): .drop(drop)
        case .claim(let call, _): .claim(call)
        case .limits: nil
        }
    }
}
