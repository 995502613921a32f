import TokenProtocol

@testable import TokenCache

/// A tenant as the model knows it: its limits, how it behaves now, and what is queued and under way there.
///
/// It is one identity: a reload that removes it, or changes its host or client, retires it for good.
final class ModelTenant {
    /// The way in which it answers.
    enum Mood {
        case well
        case down
        case flapping
        case throttling
        case refusing
        case rejecting
    }

    /// The state by which a waiter was let wait: as long as it stays the same, the wait must not be in vain.
    struct Foresight: Equatable {
        let place: ModelCall.Place
        let disturbances: Int
        let arrivals: Int
    }

    /// A time before which the tenant is not called.
    struct Hold {
        let until: Instant
        /// Whether it follows from a 429.
        let isThrottled: Bool
    }

    let id: TenantID
    private(set) var limits: TenantPolicy
    var mood = Mood.well
    var isRetired = false
    private(set) var keys: [ModelKey] = []
    private(set) var bucket: ModelBucket
    /// The calls that refreshes may use while somebody waits.
    private(set) var refreshAllowance: ModelBucket
    private var forcedAllowances: [PeerUID: ModelBucket] = [:]
    private(set) var hold: Hold?
    var circuit = ModelCircuit()
    var client = ModelClient()
    private(set) var first: [ModelCall] = []
    private(set) var callers = ModelQueue()
    private(set) var prefetches = ModelQueue()
    private(set) var background: [ModelCall] = []
    private var lastWasUrgent = false
    var underWay = 0
    /// The number of calls that have gone.
    private(set) var sent = 0
    /// The number of those who wait for it.
    var waiting = 0
    /// Raised by each success: what was drawn as a pause before it counts no more.
    var outage = 0
    /// Whether refreshes that wait to be tried again are being let in, as the tenant is back.
    var isBack = false
    /// Callers are being told, where the hold, the circuit or the limits have changed, that they can't be served in time.
    var isPacing = false
    /// Whether nothing else has changed among its calls since that began.
    var isPacingUndisturbed = false
    /// Raised by what nobody could foresee when a caller was let wait.
    private var disturbances = 0
    private var arrivals: [PeerUID: Int] = [:]

    init(_ id: TenantID, _ limits: TenantPolicy, now: Instant) {
        self.id = id
        self.limits = limits
        bucket = Self.bucket(limits, share: 1, now)
        refreshAllowance = Self.bucket(limits, share: 0.3, now)
        for user in 0..<ModelRun.users {
            for scope in ModelRun.scopes {
                let lookup = UserLookup(field: .subject, value: "user\(user)")
                keys.append(ModelKey(TokenKey(tenant: id, user: lookup, scopes: scope), self))
            }
        }
    }

    private static func bucket(_ limits: TenantPolicy, share: Double, _ now: Instant) -> ModelBucket {
        ModelBucket(perMinute: share * Double(limits.ratePerMinute), size: share * Double(limits.burst), now: now)
    }

    func reconfigure(_ limits: TenantPolicy, now: Instant) {
        guard limits != self.limits else { return }
        self.limits = limits
        let (rate, burst) = (Double(limits.ratePerMinute), Double(limits.burst))
        bucket.reconfigure(perMinute: rate, size: burst, now: now)
        refreshAllowance.reconfigure(perMinute: 0.3 * rate, size: 0.3 * burst, now: now)
        forcedAllowances = [:]
        disturb()
        pace()
    }

    // MARK: Forced mints

    /// Takes a forced mint from a uid's own allowance; a time: it is empty until then.
    func takeForced(for peer: PeerUID, now: Instant) -> Instant? {
        var allowance = forcedAllowances[peer] ?? Self.bucket(limits, share: 0.25, now)
        guard allowance.mayPay(at: now) else { return allowance.time(behind: 0, from: now) }
        _ = allowance.pay(at: now)
        forcedAllowances[peer] = allowance
        return nil
    }

    // MARK: Queues

    func enqueue(_ call: ModelCall, as place: ModelCall.Place) {
        call.place = place
        switch place {
        case .first:
            first.append(call)
            isPacingUndisturbed = false
            disturb()
        case .caller(let peer):
            callers.append(call, for: peer)
            isPacingUndisturbed = false
            arrivals[peer, default: 0] += 1
        case .prefetch(let peer): prefetches.append(call, for: peer)
        case .background: background.append(call)
        case .sent: break
        }
    }

    /// Takes a call out of its queue.
    ///
    /// - Parameter isPaced: Whether callers are being told to come back, which counts on it; else it disturbs that.
    func withdraw(_ call: ModelCall, isPaced: Bool = false) {
        switch call.place {
        case .first, .caller: if !isPaced { isPacingUndisturbed = false }
        case .prefetch, .background, .sent: break
        }
        switch call.place {
        case .first: first.removeAll { $0 === call }
        case .caller: callers.remove(call)
        case .prefetch: prefetches.remove(call)
        case .background: background.removeAll { $0 === call }
        case .sent: break
        }
    }

    /// A queued call stands elsewhere now.
    func requeue(_ call: ModelCall, as place: ModelCall.Place, isPaced: Bool = false) {
        guard !call.isSent else { return }
        withdraw(call, isPaced: isPaced)
        enqueue(call, as: place)
    }

    /// A uid has come to wait for a queued call: the sooner of both places counts.
    func promote(_ call: ModelCall, for peer: PeerUID) {
        switch call.place {
        case .first, .sent: return
        case .caller(let owner):
            guard owner != peer, callers.rankOfNext(for: peer) < callers.rank(of: call) else { return }
        case .prefetch, .background: break
        }
        requeue(call, as: .caller(peer))
    }

    var queued: Int { first.count + callers.count + prefetches.count + background.count }

    /// One place is left for callers, if several calls may be under way.
    var slotsForAhead: Int { max(1, limits.maxConcurrent - 1) }

    // MARK: Pacing

    func set(_ hold: Hold) {
        self.hold = hold
        disturb()
    }

    /// Until when surely no call goes.
    func block(_ now: Instant) -> Instant? {
        [hold?.until, circuit.openUntil(now)].compactMap(\.self).filter { $0 > now }.max()
    }

    /// Whether a hold after a 429 is what keeps calls from going.
    func isThrottled(_ now: Instant) -> Bool { hold.map { $0.isThrottled && $0.until == block(now) } ?? false }

    /// The time at which a call could go behind so many others, by what is known now.
    func earliest(behind others: Int, now: Instant) -> Instant {
        bucket.time(behind: others, from: max(now, block(now) ?? now))
    }

    /// The time at which a queued call could go.
    func earliest(of call: ModelCall, now: Instant) -> Instant {
        if case .first = call.place {
            return earliest(behind: first.firstIndex { $0 === call } ?? 0, now: now)
        }
        return earliest(behind: first.count + callers.rank(of: call), now: now)
    }

    /// The time at which a call could go that a uid waits for: a queued one goes in the sooner of its place and the uid's.
    func earliest(of call: ModelCall?, for peer: PeerUID, behind others: Int = 0, now: Instant) -> Instant {
        var rank = first.count + callers.rankOfNext(for: peer, behind: others)
        switch call?.place {
        case .first?: return call.map { earliest(of: $0, now: now) } ?? now
        case .caller?: rank = min(rank, first.count + (call.map { callers.rank(of: $0) } ?? 0))
        case .prefetch?, .background?, .sent?, nil: break
        }
        return earliest(behind: rank, now: now)
    }

    /// Callers are being told who can't be served in time any more.
    func pace() { (isPacing, isPacingUndisturbed) = (true, true) }

    // MARK: Foresight

    /// Something has happened that nobody could foresee.
    func disturb() { disturbances += 1 }

    /// The state by which a waiter for a call is let wait; nil: calls that don't come back may keep it from going.
    func foresight(for call: ModelCall, until deadline: Instant, now: Instant) -> Foresight? {
        guard underWay < limits.maxConcurrent, circuit.isClosed, !call.isSent,
            earliest(of: call, now: now) + ModelRun.tolerance < deadline
        else { return nil }
        return present(for: call)
    }

    /// The same as it is now.
    func present(for call: ModelCall) -> Foresight {
        var others = arrivals
        if case .caller(let peer) = call.place { others[peer] = nil }
        return Foresight(place: call.place, disturbances: disturbances, arrivals: others.values.reduce(0, +))
    }

    // MARK: Going

    /// The rule that a call breaks by going now; nil: it may go.
    func objection(to call: ModelCall, now: Instant) -> String? {
        if isRetired { return "a call went to a tenant that isn't configured any more" }
        if hold.map({ now < $0.until }) ?? false { return "a call went in a hold" }
        if !circuit.letsCallGo(now) { return "a call went while the circuit kept calls back" }
        if !bucket.mayPay(at: now) { return "more calls went than the bucket allows" }
        if underWay >= limits.maxConcurrent { return "too many calls are under way" }
        return objectionToTurn(of: call, now: now)
    }

    private func objectionToTurn(of call: ModelCall, now: Instant) -> String? {
        switch call.place {
        case .first: return first.first === call ? nil : "a call went out of its turn"
        case .caller:
            return first.isEmpty && callers.first === call ? nil : "a caller's call went out of its turn"
        case .sent: return "a call was sent twice"
        case .prefetch, .background: break
        }
        if !first.isEmpty || !callers.isEmpty { return "a call that nobody waits for went before a caller's" }
        if underWay >= slotsForAhead { return "a call that nobody waits for took the callers' place" }
        return call.place == .background ? objectionToRefresh(call, now: now) : objectionToPrefetch(call, now: now)
    }

    private func objectionToRefresh(_ call: ModelCall, now: Instant) -> String? {
        if call.isPausing(at: now) { return "a refresh was tried again before its time" }
        if call.tokenEnds.map({ $0 <= now }) ?? true { return "a refresh went though its token has ended" }
        if waiting > 0, !refreshAllowance.mayPay(at: now) { return "refreshes used more than their share" }
        if background.contains(where: { $0.readiness == .surely && $0.isSooner(than: call) }) {
            return "a refresh went before one whose token ends sooner"
        }
        let isUrgent = call.refresh.map { $0.deadline <= now } ?? false
        return prefetches.isEmpty || isUrgent && !lastWasUrgent ? nil : "a refresh went before a prefetch's turn"
    }

    private func objectionToPrefetch(_ call: ModelCall, now: Instant) -> String? {
        if prefetches.first !== call { return "a prefetch went out of its uid's turn" }
        guard let refresh = nextRefresh(now), refresh.refresh.map({ $0.deadline <= now }) ?? false, !lastWasUrgent,
            waiting == 0 || refreshAllowance.canPay(at: now)
        else { return nil }
        return "a prefetch went before an urgent refresh's turn"
    }

    /// The refresh or revocation that goes next; nil: there is none, or it isn't known.
    private func nextRefresh(_ now: Instant) -> ModelCall? {
        guard background.allSatisfy({ $0.readiness == .surely || $0.isPausing(at: now) }) else { return nil }
        return background.filter { $0.readiness == .surely }.min { $0.isSooner(than: $1) }
    }

    /// Notes that a call goes.
    func start(_ call: ModelCall, now: Instant) {
        switch call.place {
        case .caller where callers.first === call: callers.removeFirst()
        case .prefetch where prefetches.first === call:
            prefetches.removeFirst()
            lastWasUrgent = false
        case .background:
            if waiting > 0 { _ = refreshAllowance.pay(at: now) }
            // Among those that may be let in at any time nobody knows which was the first; the one that went was.
            lastWasUrgent = call.refresh.map { $0.deadline <= now } ?? false
            withdraw(call)
        case .first, .caller, .prefetch, .sent: withdraw(call)
        }
        call.place = .sent(now)
        _ = bucket.pay(at: now)
        underWay += 1
        sent += 1
        isPacingUndisturbed = false
        circuit.started(call, now: now)
        if underWay >= limits.maxConcurrent || !circuit.isClosed { disturb() }
    }

    /// Whether some queued call could go now, and so should have gone.
    func holdsBackCall(_ now: Instant) -> Bool {
        guard !isRetired, hold.map({ now >= $0.until }) ?? true, circuit.letsCallGo(now), bucket.canPay(at: now),
            underWay < limits.maxConcurrent
        else { return false }
        if !first.isEmpty || !callers.isEmpty { return true }
        guard underWay < slotsForAhead else { return false }
        if !prefetches.isEmpty { return true }
        let mayRefresh = waiting == 0 || refreshAllowance.canPay(at: now)
        return mayRefresh && background.contains { $0.readiness == .surely }
    }
}
