import DequeModule
import HeapModule

/// Decides when each call to one tenant may go; nothing else delays or repeats a call.
///
/// Callers who wait go first, their apps in turn; then prefetches; then refreshes, the one whose token ends first ahead.
/// A call goes when no hold is in force, the circuit lets it, the bucket can pay for it and fewer than the allowed number
/// are under way.
struct Governor {
    /// What a call is for, which is its rank.
    enum Purpose: Equatable {
        /// Somebody with this uid waits for it.
        case caller(PeerUID)
        /// It finds out whether the tenant still takes the client.
        case probe
        /// Somebody will ask.
        case prefetch
        /// It renews a living token; not before a time, where it is tried again.
        case refresh(tokenEnds: Instant, notBefore: Instant?)
    }

    /// Until when no call can go, and why.
    struct Delay: Equatable {
        /// Why.
        enum Cause: Equatable {
            /// The bucket is empty.
            case rate
            /// The tenant said 429.
            case throttled
            /// The tenant said 503 and when to come back.
            case paused
            /// The tenant has failed too often.
            case faults
            /// The tenant refuses the client.
            case client
        }

        var until: Instant
        var cause: Cause
    }

    private struct Refresh: Comparable {
        let tokenEnds: Instant
        let call: CallID

        static func < (left: Refresh, right: Refresh) -> Bool {
            (left.tokenEnds, left.call) < (right.tokenEnds, right.call)
        }
    }

    private var limits: TenantPolicy
    private var bucket: TokenBucket
    private var refreshAllowance: TokenBucket
    private var forcedAllowances: [PeerUID: TokenBucket] = [:]
    private var hold: Delay?
    /// Since when the tenant wants to be left alone, one hold upon the other counted as one.
    private(set) var heldSince: Instant?
    /// Whether calls go at all.
    var circuit = Circuit()
    /// What is thought of the client.
    var client = ClientStanding()
    var backoff = Backoff()
    private var callers = CallerQueue()
    private var prefetches: Deque<CallID> = []
    private var refreshes = Heap<Refresh>()
    /// Refreshes that are tried again, by the time before which they don't go.
    private var delayed = DueTimes<Refresh>()
    /// What each queued call is for; what stands in a queue without being here as such has moved or gone.
    private var purposes: [CallID: Purpose] = [:]
    private(set) var queuedPrefetches = 0
    private(set) var underWay = 0

    /// A tenant that has not been called yet.
    init(_ limits: TenantPolicy, now: Instant) {
        self.limits = limits
        bucket = Self.bucket(limits, share: 1, now)
        refreshAllowance = Self.bucket(limits, share: GovernorConstants.refreshShare, now)
    }

    /// Takes over other limits; what has been used up stays used up.
    mutating func reconfigure(_ limits: TenantPolicy, now: Instant) {
        if limits.identity != self.limits.identity {
            // Another tenant, or another client of it: nothing that was learnt holds.
            (hold, circuit, client, backoff) = (nil, Circuit(), ClientStanding(), Backoff())
        }
        self.limits = limits
        bucket.reconfigure(perMinute: Double(limits.ratePerMinute), burst: Double(limits.burst), now: now)
        refreshAllowance.reconfigure(
            perMinute: GovernorConstants.refreshShare * Double(limits.ratePerMinute),
            burst: max(1, GovernorConstants.refreshShare * Double(limits.burst)),
            now: now
        )
        forcedAllowances = [:]
    }

    private static func bucket(_ limits: TenantPolicy, share: Double, _ now: Instant) -> TokenBucket {
        TokenBucket(
            perMinute: share * Double(limits.ratePerMinute),
            burst: max(1, share * Double(limits.burst)),
            now: now
        )
    }

    // MARK: Queues

    /// Queues a call, behind those of its rank.
    mutating func enqueue(_ call: CallID, as purpose: Purpose) {
        purposes[call] = purpose
        switch purpose {
        case .caller(let peer): callers.append(call, for: peer)
        case .probe: callers.prepend(call)
        case .prefetch:
            prefetches.append(call)
            queuedPrefetches += 1
        case .refresh(let tokenEnds, nil): refreshes.insert(Refresh(tokenEnds: tokenEnds, call: call))
        case .refresh(let tokenEnds, let notBefore?):
            delayed.plan(Refresh(tokenEnds: tokenEnds, call: call), at: notBefore)
        }
    }

    /// A caller has come to wait for a queued call, which becomes a caller's if it was none, and this one's if that is
    /// sooner.
    mutating func promote(_ call: CallID, for peer: PeerUID) {
        switch purposes[call] {
        case nil, .probe: return
        case .caller: callers.join(call, peer)
        case .prefetch, .refresh:
            withdraw(call)
            enqueue(call, as: .caller(peer))
        }
    }

    /// Takes a call out of its queue.
    mutating func withdraw(_ call: CallID) {
        switch purposes.removeValue(forKey: call) {
        case .caller, .probe: callers.remove(call)
        case .prefetch: queuedPrefetches -= 1
        case .refresh, nil: break
        }
    }

    /// How many callers' calls wait for their time.
    var queuedCallers: Int { callers.count }

    /// How many refreshes wait for their time.
    var queuedRefreshes: Int { purposes.count - callers.count - queuedPrefetches }

    /// How many prefetches and refreshes wait for their time.
    var queuedAhead: Int { purposes.count - callers.count }

    /// The callers' calls, in the order in which they will go.
    var callersInOrder: [CallID] { callers.inOrder }

    /// Before when a queued refresh is not tried again; nil: it waits for its turn only.
    func retryTime(of call: CallID) -> Instant? {
        if case .refresh(_, let notBefore?) = purposes[call] { notBefore } else { nil }
    }

    // MARK: Time

    /// The call that goes now, if one may; it counts as under way until ``ended(_:_:draw:now:)``.
    ///
    /// - Parameter someoneWaits: Whether any caller waits for this tenant, for a queued call or one under way.
    mutating func next(at now: Instant, someoneWaits: Bool) -> CallID? {
        guard currentHold(at: now) == nil, circuit.letsCallGo(now), bucket.hasOne(at: now),
            let call = takeNext(now, someoneWaits)
        else { return nil }
        purposes[call] = nil
        bucket.take(at: now)
        underWay += 1
        circuit.started(call, now: now)
        return call
    }

    /// When ``next(at:someoneWaits:)`` is worth asking again; nil: not before some call ends or is queued.
    mutating func nextTime(_ now: Instant, someoneWaits: Bool) -> Instant? {
        circuit.update(now)
        if case .halfOpen(.some) = circuit.state { return nil }
        guard !purposes.isEmpty, underWay < limits.maxConcurrent else { return nil }
        let start = max(bucket.time(of: 1, now: now), blockedUntil(now) ?? now)
        if callers.count > 0 { return start }
        guard underWay < slotsForAhead else { return nil }
        if queuedPrefetches > 0 { return start }
        release(now)
        dropMoved()
        let ready = refreshes.isEmpty ? nextDelayed() : now
        guard let ready else { return nil }
        let paid = someoneWaits ? refreshAllowance.time(of: 1, now: now) : now
        return max(start, ready, paid)
    }

    /// The earliest time at which a caller's call could go, and what it waits for until then; nil: now, or nobody knows.
    ///
    /// - Parameters:
    ///   - call: A queued one, or nil for one that would be queued last.
    ///   - peer: Who waits for it.
    func delay(of call: CallID?, for peer: PeerUID, now: Instant) -> Delay? {
        let place = call.flatMap { callers.place(of: $0) } ?? callers.placeOfNew(for: peer)
        let paid = Delay(until: bucket.time(of: place + 1, now: now), cause: .rate)
        let latest = [currentHold(at: now), openDelay(now)].compactMap(\.self).reduce(paid) {
            $1.until >= $0.until ? $1 : $0
        }
        return latest.until > now ? latest : nil
    }

    /// Until when no call goes, whoever wants it.
    func blockedUntil(_ now: Instant) -> Instant? { block(now)?.until }

    /// What keeps all calls from going: the hold or the circuit, whichever ends later.
    func block(_ now: Instant) -> Delay? {
        guard let hold = currentHold(at: now) else { return openDelay(now) }
        guard let open = openDelay(now), open.until > hold.until else { return hold }
        return open
    }

    /// The tenant wants to be left alone.
    ///
    /// - Parameters:
    ///   - length: For how long, where it said so usably.
    ///   - draw: Evenly from 0 up to 1.
    mutating func hold(_ length: Duration?, cause: Delay.Cause, draw: Double, now: Instant) {
        let asked = min(length ?? GovernorConstants.holdWithoutTime, GovernorConstants.longestHold)
        let end = now + asked * (1 + GovernorConstants.holdSpread * draw)
        if currentHold(at: now) == nil { heldSince = now }
        guard end > hold?.until ?? now else { return }
        hold = Delay(until: end, cause: cause)
    }

    /// Calls that could go at once, if nothing kept them.
    func available(at now: Instant) -> Double { bucket.available(at: now) }

    /// The hold that is in force.
    func currentHold(at now: Instant) -> Delay? { hold.flatMap { $0.until > now ? $0 : nil } }

    private func openDelay(_ now: Instant) -> Delay? {
        circuit.openUntil(now).map { Delay(until: $0, cause: circuit.cause == .client ? .client : .faults) }
    }

    // MARK: Forced mints

    /// Takes a forced mint from a peer's own allowance; a time: it is empty until then.
    mutating func takeForced(for peer: PeerUID, now: Instant) -> Instant? {
        var allowance =
            forcedAllowances[peer] ?? Self.bucket(limits, share: GovernorConstants.forcedShare, now)
        guard allowance.hasOne(at: now) else { return allowance.time(of: 1, now: now) }
        allowance.take(at: now)
        if forcedAllowances.count >= GovernorConstants.mostAllowances {
            forcedAllowances = forcedAllowances.filter { !$0.value.isFull(at: now) }
        }
        forcedAllowances[peer] = allowance
        return nil
    }

    // MARK: Ends

    /// A call that was to go is not wanted any more: what it was given is there for the next one.
    mutating func takeBack(_ call: CallID, now: Instant) {
        underWay -= 1
        bucket.giveBack(at: now)
        backoff.forget(call)
        _ = circuit.ended(call, .unknown, draw: 0, now: now)
    }

    /// A call has come back.
    ///
    /// - Parameter draw: Evenly from 0 up to 1.
    mutating func ended(_ call: CallID, _ ending: Circuit.Ending, draw: Double, now: Instant) -> Circuit.Change {
        // It may have been ordered by the governor of a tenant of this name that a reload removed.
        underWay = max(0, underWay - 1)
        backoff.forget(call)
        if ending == .success { endBackoff() }
        circuit.update(now)
        return circuit.ended(call, ending, draw: draw, now: now)
    }

    /// The tenant is back: refreshes that were held back go in their turn.
    private mutating func endBackoff() {
        backoff.end()
        while let refresh = delayed.takeFirst() { goNow(refresh) }
    }

    private mutating func release(_ now: Instant) {
        while let refresh = delayed.takeDue(at: now) { goNow(refresh) }
    }

    private mutating func goNow(_ refresh: Refresh) {
        guard case .refresh(refresh.tokenEnds, .some) = purposes[refresh.call] else { return }
        enqueue(refresh.call, as: .refresh(tokenEnds: refresh.tokenEnds, notBefore: nil))
    }

    private mutating func nextDelayed() -> Instant? {
        let purposes = purposes
        return delayed.soonest { if case .refresh(_, .some) = purposes[$0.call] { true } else { false } }
    }

    // MARK: Taking

    /// Where several calls may be under way, one place is left for callers: refreshes that hang don't keep them out.
    private var slotsForAhead: Int { max(1, limits.maxConcurrent - 1) }

    private mutating func takeNext(_ now: Instant, _ someoneWaits: Bool) -> CallID? {
        guard underWay < limits.maxConcurrent else { return nil }
        if let call = callers.popFirst() { return call }
        guard underWay < slotsForAhead else { return nil }
        return takePrefetch() ?? takeRefresh(now, someoneWaits)
    }

    private mutating func takePrefetch() -> CallID? {
        while let call = prefetches.popFirst() {
            guard purposes[call] == .prefetch else { continue }
            queuedPrefetches -= 1
            return call
        }
        return nil
    }

    private mutating func takeRefresh(_ now: Instant, _ someoneWaits: Bool) -> CallID? {
        release(now)
        dropMoved()
        guard let refresh = refreshes.min, !someoneWaits || refreshAllowance.hasOne(at: now) else { return nil }
        refreshAllowance.take(at: now)
        refreshes.removeMin()
        return refresh.call
    }

    private mutating func dropMoved() {
        while let refresh = refreshes.min,
            purposes[refresh.call] != .refresh(tokenEnds: refresh.tokenEnds, notBefore: nil)
        {
            refreshes.removeMin()
        }
    }
}
