import TokenProtocol

@testable import TokenCache

/// A tenant in the model: its limits, its behaviour, and its calls that are queued and under way.
///
/// It is one identity. A reload that removes it, or changes its host or client, retires it forever.
final class ModelTenant {
    /// The way in which it answers.
    enum Behaviour {
        case well
        case down
        case flapping
        case throttling
        case denying
        case rejecting
    }

    /// The state on which a waiter was accepted.
    ///
    /// While it stays the same, the wait must not time out.
    struct WaitForecast: Equatable {
        let position: ModelCall.Position
        let disturbances: Int
        let arrivals: Int
    }

    /// A time before which the tenant is not called.
    struct Hold {
        let until: Instant
        /// True if it follows from a 429.
        let isThrottled: Bool
    }

    let id: TenantID
    private(set) var limits: TenantPolicy
    var behaviour = Behaviour.well
    var isRetired = false
    private(set) var keys: [ModelKey] = []
    private(set) var bucket: ModelBucket
    /// The calls that refreshes may use while somebody waits.
    private(set) var refreshAllowance: ModelBucket
    private var forcedAllowances: [PeerUID: ModelBucket] = [:]
    private(set) var hold: Hold?
    var circuit = ModelCircuit()
    var client = ModelClient()
    /// The names of the further clients that it refuses.
    var refusedClients: Set<String> = []
    var incidents = ModelIncidents()
    private(set) var first: [ModelCall] = []
    private(set) var callers = ModelQueue()
    private(set) var prefetches = ModelQueue()
    private(set) var background: [ModelCall] = []
    private var lastWasUrgent = false
    var underWay = 0
    /// The number of calls that were sent.
    private(set) var sent = 0
    /// The number of waiters.
    var waiting = 0
    /// A number that each success raises.
    ///
    /// Pauses that were drawn before it no longer count.
    var outage = 0
    /// True if the pauses of retries are being ended, as the tenant is back.
    var isBack = false
    /// True if callers are being checked after a change of the hold, the circuit or the limits.
    var isPacing = false
    /// True if nothing else has changed among its calls since that began.
    var isPacingUndisturbed = false
    /// A number that every unpredictable event raises.
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
        for name in ModelRun.clients {
            for scopes in [ScopeSet.all] + ModelRun.scopes.prefix(1) {
                keys.append(ModelKey(TokenKey(user: UserKey(tenant: id, client: name), scopes: scopes), self))
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

    /// Takes a forced mint from a uid's own allowance, or returns the time until which it is empty.
    func takeForced(for peer: PeerUID, now: Instant) -> Instant? {
        var allowance = forcedAllowances[peer] ?? Self.bucket(limits, share: 0.25, now)
        guard allowance.mayPay(at: now) else { return allowance.time(behind: 0, from: now) }
        _ = allowance.pay(at: now)
        forcedAllowances[peer] = allowance
        return nil
    }

    // MARK: Queues

    func enqueue(_ call: ModelCall, as position: ModelCall.Position) {
        call.position = position
        switch position {
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

    /// Removes a call from its queue.
    ///
    /// - Parameter isPaced: True if callers are being told to come back, which expects it. Otherwise it disturbs that.
    func withdraw(_ call: ModelCall, isPaced: Bool = false) {
        switch call.position {
        case .first, .caller: if !isPaced { isPacingUndisturbed = false }
        case .prefetch, .background, .sent: break
        }
        switch call.position {
        case .first: first.removeAll { $0 === call }
        case .caller: callers.remove(call)
        case .prefetch: prefetches.remove(call)
        case .background: background.removeAll { $0 === call }
        case .sent: break
        }
    }

    /// Moves a queued call to another position.
    func requeue(_ call: ModelCall, as position: ModelCall.Position, isPaced: Bool = false) {
        guard !call.isSent else { return }
        withdraw(call, isPaced: isPaced)
        enqueue(call, as: position)
    }

    /// Adds a uid to the waiters of a queued call: the sooner of both positions counts.
    func promote(_ call: ModelCall, for peer: PeerUID) {
        switch call.position {
        case .first, .sent: return
        case .caller(let owner):
            guard owner != peer, callers.rankOfNext(for: peer) < callers.rank(of: call) else { return }
        case .prefetch, .background: break
        }
        requeue(call, as: .caller(peer))
    }

    var queued: Int { first.count + callers.count + prefetches.count + background.count }

    /// The number of calls for background work.
    ///
    /// One is left for callers if several calls may be under way.
    var slotsForAhead: Int { max(1, limits.maxConcurrent - 1) }

    // MARK: Pacing

    func set(_ hold: Hold) {
        self.hold = hold
        disturb()
    }

    /// Ends the hold.
    ///
    /// Waiters go sooner than forecast, so it doesn't disturb.
    func releaseHold() { hold = nil }

    /// Returns the time until which surely no call goes.
    func block(_ now: Instant) -> Instant? {
        [hold?.until, circuit.openUntil(now)].compactMap(\.self).filter { $0 > now }.max()
    }

    /// True if only a hold after a 429 keeps calls from going.
    func isThrottled(_ now: Instant) -> Bool { hold.map { $0.isThrottled && $0.until == block(now) } ?? false }

    /// Returns the time at which a call could go behind a number of others, as far as is known now.
    func earliest(behind others: Int, now: Instant) -> Instant {
        bucket.time(behind: others, from: max(now, block(now) ?? now))
    }

    /// Returns the time at which a queued call could go.
    func earliest(of call: ModelCall, now: Instant) -> Instant {
        if case .first = call.position {
            return earliest(behind: first.firstIndex { $0 === call } ?? 0, now: now)
        }
        return earliest(behind: first.count + callers.rank(of: call), now: now)
    }

    /// Returns the time at which a call for a uid could go: the sooner of its own position and the uid's.
    func earliest(of call: ModelCall?, for peer: PeerUID, behind others: Int = 0, now: Instant) -> Instant {
        var rank = first.count + callers.rankOfNext(for: peer, behind: others)
        switch call?.position {
        case .first?: return call.map { earliest(of: $0, now: now) } ?? now
        case .caller?: rank = min(rank, first.count + (call.map { callers.rank(of: $0) } ?? 0))
        case .prefetch?, .background?, .sent?, nil: break
        }
        return earliest(behind: rank, now: now)
    }

    /// Starts the check of callers who can't be served in time any more.
    func pace() { (isPacing, isPacingUndisturbed) = (true, true) }

    // MARK: WaitForecast

    /// Records an unpredictable event.
    func disturb() { disturbances += 1 }

    /// Returns the forecast for a waiter of a call, or nil if calls that don't end may keep it from going.
    func forecast(for call: ModelCall, until deadline: Instant, now: Instant) -> WaitForecast? {
        guard underWay < limits.maxConcurrent, circuit.isClosed, !call.isSent,
            earliest(of: call, now: now) + ModelRun.tolerance < deadline
        else { return nil }
        return present(for: call)
    }

    /// Returns the forecast as it is now.
    func present(for call: ModelCall) -> WaitForecast {
        var others = arrivals
        if case .caller(let peer) = call.position { others[peer] = nil }
        return WaitForecast(position: call.position, disturbances: disturbances, arrivals: others.values.reduce(0, +))
    }

    // MARK: Going

    /// Returns the rule that a call would break by going now, or nil if it may go.
    func objection(to call: ModelCall, now: Instant) -> String? {
        if isRetired { return "a call was sent to a tenant that isn't configured any more" }
        if hold.map({ now < $0.until }) ?? false { return "a call was sent in a hold" }
        if !circuit.allowsCall(now) { return "a call was sent while the circuit was open" }
        if !bucket.mayPay(at: now) { return "more calls were sent than the bucket allows" }
        if underWay >= limits.maxConcurrent { return "too many calls are under way" }
        return objectionToTurn(of: call, now: now)
    }

    private func objectionToTurn(of call: ModelCall, now: Instant) -> String? {
        switch call.position {
        case .first: return first.first === call ? nil : "a call was sent out of its turn"
        case .caller:
            return first.isEmpty && callers.first === call ? nil : "a caller's call was sent out of its turn"
        case .sent: return "a call was sent twice"
        case .prefetch, .background: break
        }
        if !first.isEmpty || !callers.isEmpty { return "a background call was sent before a caller's" }
        if underWay >= slotsForAhead { return "a background call took the last concurrent call, which is for callers" }
        return call.position == .background ? objectionToRefresh(call, now: now) : objectionToPrefetch(call, now: now)
    }

    private func objectionToRefresh(_ call: ModelCall, now: Instant) -> String? {
        if call.isPausing(at: now) { return "a refresh was retried before its time" }
        if call.tokenEnds.map({ $0 <= now }) ?? true { return "a refresh was sent though its token has expired" }
        if waiting > 0, !refreshAllowance.mayPay(at: now) { return "refreshes used more than their share" }
        if background.contains(where: { $0.readiness == .surely && $0.isSooner(than: call) }) {
            return "a refresh was sent before one whose token expires sooner"
        }
        let isUrgent = call.refresh.map { $0.deadline <= now } ?? false
        return prefetches.isEmpty || isUrgent && !lastWasUrgent ? nil : "a refresh was sent at a prefetch's turn"
    }

    private func objectionToPrefetch(_ call: ModelCall, now: Instant) -> String? {
        if prefetches.first !== call { return "a prefetch was sent out of its uid's turn" }
        guard let refresh = nextRefresh(now), refresh.refresh.map({ $0.deadline <= now }) ?? false, !lastWasUrgent,
            waiting == 0 || refreshAllowance.canPay(at: now)
        else { return nil }
        return "a prefetch was sent at an urgent refresh's turn"
    }

    /// Returns the refresh or revocation that goes next, or nil if there is none or it isn't known.
    private func nextRefresh(_ now: Instant) -> ModelCall? {
        guard background.allSatisfy({ $0.readiness == .surely || $0.isPausing(at: now) }) else { return nil }
        return background.filter { $0.readiness == .surely }.min { $0.isSooner(than: $1) }
    }

    /// Records that a call is sent.
    func start(_ call: ModelCall, now: Instant) {
        switch call.position {
        case .caller where callers.first === call: callers.removeFirst()
        case .prefetch where prefetches.first === call:
            prefetches.removeFirst()
            lastWasUrgent = false
        case .background:
            if waiting > 0 { _ = refreshAllowance.pay(at: now) }
            // Among retries that may join at any time nobody knows the first one, so it is the one that was sent.
            lastWasUrgent = call.refresh.map { $0.deadline <= now } ?? false
            withdraw(call)
        case .first, .caller, .prefetch, .sent: withdraw(call)
        }
        call.position = .sent(now)
        _ = bucket.pay(at: now)
        underWay += 1
        sent += 1
        isPacingUndisturbed = false
        circuit.started(call, now: now)
        if underWay >= limits.maxConcurrent || !circuit.isClosed { disturb() }
    }

    /// True if some queued call could go now, and so should have been sent.
    func holdsBackCall(_ now: Instant) -> Bool {
        guard !isRetired, hold.map({ now >= $0.until }) ?? true, circuit.allowsCall(now), bucket.canPay(at: now),
            underWay < limits.maxConcurrent
        else { return false }
        if !first.isEmpty || !callers.isEmpty { return true }
        guard underWay < slotsForAhead else { return false }
        if !prefetches.isEmpty { return true }
        let mayRefresh = waiting == 0 || refreshAllowance.canPay(at: now)
        return mayRefresh && background.contains { $0.readiness == .surely }
    }
}
