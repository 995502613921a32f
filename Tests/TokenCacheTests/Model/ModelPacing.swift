@testable import TokenCache

/// A token bucket, as minting.md describes it.
struct ModelBucket {
    /// The tolerance of levels, which are sums of fractions.
    static let tolerance = 1e-5

    private var level: Double
    private var filled: Instant
    private var perSecond: Double
    private var size: Double

    init(perMinute: Double, size: Double, now: Instant) {
        level = max(1, size)
        filled = now
        perSecond = perMinute / 60
        self.size = max(1, size)
    }

    func level(at now: Instant) -> Double { min(size, level + (now - filled).inSeconds * perSecond) }

    /// True if a call may go.
    ///
    /// `canPay` is true if it must be able to.
    func mayPay(at now: Instant) -> Bool { level(at: now) > 1 - Self.tolerance }
    func canPay(at now: Instant) -> Bool { level(at: now) > 1 + Self.tolerance }

    /// Takes a call, and returns false if there was none.
    mutating func pay(at now: Instant) -> Bool {
        defer {
            level = max(0, level(at: now) - 1)
            filled = now
        }
        return mayPay(at: now)
    }

    /// Returns the time at which a call can go behind a number of others, if none goes before a start.
    func time(behind others: Int, from start: Instant) -> Instant {
        var bucket = self
        var time = start
        for _ in 0...others {
            let missing = 1 - bucket.level(at: time)
            if missing > 1e-7 { time += .seconds(missing / perSecond) }
            _ = bucket.pay(at: time)
        }
        return time
    }

    mutating func reconfigure(perMinute: Double, size: Double, now: Instant) {
        level = min(level(at: now), max(1, size))
        filled = now
        perSecond = perMinute / 60
        self.size = max(1, size)
    }
}

/// A fair queue of calls: uids take turns, and each uid's calls go first in, first out.
struct ModelQueue {
    private struct Lane {
        let peer: PeerUID
        var calls: [ModelCall]
    }

    /// The uids that have calls, in the order of their turns.
    private var lanes: [Lane] = []

    var isEmpty: Bool { lanes.isEmpty }
    var count: Int { lanes.reduce(0) { $0 + $1.calls.count } }
    var first: ModelCall? { lanes.first?.calls.first }
    var calls: [ModelCall] { lanes.flatMap(\.calls) }

    mutating func append(_ call: ModelCall, for peer: PeerUID) {
        if let lane = lanes.firstIndex(where: { $0.peer == peer }) {
            lanes[lane].calls.append(call)
        } else {
            lanes.append(Lane(peer: peer, calls: [call]))
        }
    }

    mutating func remove(_ call: ModelCall) {
        for lane in lanes.indices { lanes[lane].calls.removeAll { $0 === call } }
        lanes.removeAll { $0.calls.isEmpty }
    }

    /// Removes the next call.
    ///
    /// Its uid has its next turn last.
    mutating func removeFirst() {
        var lane = lanes.removeFirst()
        lane.calls.removeFirst()
        if !lane.calls.isEmpty { lanes.append(lane) }
    }

    /// Returns the number of calls that go before a call.
    func rank(of call: ModelCall) -> Int {
        for lane in lanes {
            if let index = lane.calls.firstIndex(where: { $0 === call }) { return rank(of: index, in: lane.peer) }
        }
        return 0
    }

    /// Returns the number of calls that would go before a new call of a uid, or before one behind others of its own.
    func rankOfNext(for peer: PeerUID, behind others: Int = 0) -> Int {
        let own = lanes.first { $0.peer == peer }?.calls.count ?? 0
        return rank(of: own + others, in: peer)
    }

    /// Lets the uids take turns up to a uid's call with an index, and returns the number of calls before it.
    private func rank(of index: Int, in peer: PeerUID) -> Int {
        var left = lanes.map { (peer: $0.peer, count: $0.peer == peer ? index + 1 : $0.calls.count) }
        if !left.contains(where: { $0.peer == peer }) { left.append((peer, index + 1)) }
        var (rank, turn) = (0, 0)
        while true {
            if left[turn].count > 0 {
                left[turn].count -= 1
                if left[turn].peer == peer, left[turn].count == 0 { return rank }
                rank += 1
            }
            turn = (turn + 1) % left.count
        }
    }
}

/// A tenant's circuit breaker, as minting.md describes it.
struct ModelCircuit {
    enum State {
        case closed
        case open(until: Instant)
        /// One call goes as a probe.
        ///
        /// If nil, the next call will be the probe.
        case halfOpen(probe: ModelCall?)
    }

    /// The change that the end of a call causes.
    enum Change {
        case none
        case opens
        case closes
    }

    private(set) var state = State.closed
    /// True if the tenant's denial of the client has opened it.
    private(set) var isForClient = false
    private var faultsInRow = 0
    private var recent: [(at: Instant, isFault: Bool)] = []
    private var lastOpening: Duration?

    var isClosed: Bool { if case .closed = state { true } else { false } }

    mutating func update(_ now: Instant) {
        if case .open(let until) = state, until <= now { state = .halfOpen(probe: nil) }
    }

    func openUntil(_ now: Instant) -> Instant? {
        if case .open(let until) = state, until > now { until } else { nil }
    }

    func allowsCall(_ now: Instant) -> Bool {
        switch state {
        case .closed: true
        case .open(let until): until <= now
        case .halfOpen(let probe): probe == nil
        }
    }

    mutating func started(_ call: ModelCall, now: Instant) {
        update(now)
        if case .halfOpen(nil) = state, call.key != nil || !isForClient { state = .halfOpen(probe: call) }
    }

    mutating func ended(_ call: ModelCall, _ ending: CircuitBreaker.Ending, now: Instant) -> Change {
        update(now)
        note(ending, now)
        if case .halfOpen(let probe) = state, probe === call { return probed(ending) }
        guard case .closed = state, ending == .fault, hasTooManyFaults else { return .none }
        isForClient = false
        return .opens
    }

    private mutating func probed(_ ending: CircuitBreaker.Ending) -> Change {
        switch ending {
        case .fault: return .opens
        case .success: return .closes
        // An answer proves that the tenant is there, not that it accepts the client.
        case .answer where !isForClient: return .closes
        case .answer, .unknown:
            state = .halfOpen(probe: nil)
            return .none
        }
    }

    private mutating func note(_ ending: CircuitBreaker.Ending, _ now: Instant) {
        guard ending != .unknown else { return }
        faultsInRow = ending == .fault ? faultsInRow + 1 : 0
        recent.append((now, ending == .fault))
        recent.removeAll { now - $0.at > .seconds(30) }
    }

    private var hasTooManyFaults: Bool {
        faultsInRow >= 5 || recent.count >= 10 && recent.count { $0.isFault } * 2 >= recent.count
    }

    /// The range of the time for which it would be open now.
    var nextOpening: ClosedRange<Duration> {
        let length = lastOpening.map { min($0 * 2, .seconds(60)) } ?? .seconds(5)
        return length * 0.8 - .milliseconds(1)...length * 1.2 + .milliseconds(1)
    }

    mutating func open(until: Instant, forClient: Bool? = nil) {
        lastOpening = lastOpening.map { min($0 * 2, .seconds(60)) } ?? .seconds(5)
        isForClient = forClient ?? isForClient
        state = .open(until: until)
    }

    mutating func close() {
        state = .closed
        (faultsInRow, recent, lastOpening) = (0, [], nil)
    }
}

/// The state of the client at a tenant, as minting.md derives it from the tenant's answers.
struct ModelClient {
    enum State {
        case trusted
        /// Several users in a row were denied, with any status.
        case doubtful
        /// Several users in a row were denied with 401.
        ///
        /// The probe is nil if none is queued or under way.
        case suspected(probe: ModelCall?)
        case denied
    }

    /// The consequence of a denial.
    enum Suspicion {
        case none
        case doubtful
        case suspected(probe: ModelKey?)
        case proven

        var isNone: Bool { if case .none = self { true } else { false } }
    }

    private(set) var state = State.trusted
    /// The keys that were accepted last and can be used as probes, the latest at the end.
    private(set) var accepted: [ModelKey] = []
    /// The keys that were denied in a row: with 401, and with any status.
    private var unauthorized: [ModelKey] = []
    private var deniedKeys: [ModelKey] = []
    /// True if the last probe was sent without a result.
    ///
    /// Then the next denials have to cause another.
    private(set) var hasProbedInVain = false

    var isTrusted: Bool { if case .trusted = state { true } else { false } }
    var isDenied: Bool { if case .denied = state { true } else { false } }
    var probe: ModelCall? { if case .suspected(let probe) = state { probe } else { nil } }

    /// True if a suspicion is being probed, or can't be.
    var isLookedInto: Bool {
        guard case .suspected(let probe) = state else { return true }
        return probe != nil || accepted.isEmpty || hasProbedInVain
    }

    /// Records a minted key, and returns true if that ends a suspicion.
    mutating func accepted(_ key: ModelKey?) -> Bool {
        if let key {
            accepted.removeAll { $0 === key }
            accepted = (accepted + [key]).suffix(8)
        }
        defer { secretChanged() }
        return !isTrusted
    }

    /// Records a denied key whose call used the current secret.
    mutating func denied(_ key: ModelKey, by call: ModelCall, status: Int) -> Suspicion {
        let wasTrusted = isTrusted
        if !deniedKeys.contains(where: { $0 === key }) { deniedKeys.append(key) }
        if wasTrusted, deniedKeys.count >= 3 { state = .doubtful }
        if status != 401 { unauthorized = [] }
        if status == 401, case let suspicion = unauthorized(key, by: call), !suspicion.isNone { return suspicion }
        return wasTrusted && !isTrusted ? .doubtful : .none
    }

    private mutating func unauthorized(_ key: ModelKey, by call: ModelCall) -> Suspicion {
        switch state {
        case .suspected(let probe) where probe === call:
            state = .denied
            return .proven
        case .denied: return .none
        case .trusted, .doubtful, .suspected:
            if !unauthorized.contains(where: { $0 === key }) { unauthorized.append(key) }
            return unauthorized.count < 3 ? .none : suspect()
        }
    }

    private mutating func suspect() -> Suspicion {
        unauthorized = []
        hasProbedInVain = false
        if case .suspected(let probe) = state {
            if probe != nil || accepted.isEmpty { return .none }
        } else {
            state = .suspected(probe: nil)
        }
        return .suspected(probe: accepted.last)
    }

    mutating func probes(with call: ModelCall) { state = .suspected(probe: call) }

    /// Handles a call that ended without a result for the client.
    ///
    /// - Returns: The key that has to be probed instead.
    mutating func lost(_ call: ModelCall, wasSent: Bool) -> ModelKey? {
        guard case .suspected(let probe) = state, probe === call else { return nil }
        state = .suspected(probe: nil)
        hasProbedInVain = wasSent
        return wasSent ? nil : accepted.last
    }

    mutating func forget(_ user: UserKey) { accepted.removeAll { $0.key.user == user } }

    mutating func secretChanged() {
        (unauthorized, deniedKeys) = ([], [])
        state = .trusted
    }
}
