import DequeModule

/// Decides when each call to one tenant may be sent.
///
/// Nothing else delays or repeats a call. Calls with waiting callers go first, with the apps in turn. Then go
/// prefetches, by uid in turn, then refreshes, the soonest expiry first, and last the mints of a round through the
/// tenant's prefetch file, which leave half of the burst to callers. A call is sent if no hold is in force, the
/// circuit breaker and the token bucket allow it, and fewer than the allowed number are under way.
struct Governor {
    /// The rank of a queued call.
    enum Rank: Equatable {
        /// Before all others: a probe of the client, or a retry with a new secret.
        case first
        /// A request of this uid waits for it.
        case caller(PeerUID)
        /// A prefetch of this uid.
        case prefetch(PeerUID)
        /// A refresh, or a revocation that nobody waits for.
        ///
        /// It is of no use after the token's expiry, and a retry has to wait until `notBefore`.
        case background(tokenEnds: Instant, urgentFrom: Instant?, notBefore: Instant?)
        /// A mint of a round through the tenant's prefetch file, after all others.
        case round
    }

    /// The position of a queued call.
    enum Ticket: Equatable {
        case first(CallID)
        case caller(FairQueue.Ticket)
        case prefetch(FairQueue.Ticket)
        case background(RefreshQueue.Ticket)
        case round(CallID)
    }

    /// The time until which no call can be sent, and the cause.
    struct Delay: Equatable {
        /// The cause of a delay.
        enum Cause: Equatable {
            /// The token bucket is empty.
            case rate
            /// The tenant answered with 429.
            case throttled
            /// The tenant answered with 503 and a `Retry-After`.
            case paused
            /// The tenant has failed too often.
            case faults
            /// The tenant denies the client.
            case client
        }

        var until: Instant
        var cause: Cause
    }

    private(set) var limits: TenantPolicy
    /// The machines among which the limits are divided.
    var machines = 1
    /// The calls that are allowed.
    ///
    /// While the machines of a fleet share the limits, it is a copy of theirs.
    var bucket: TokenBucket
    var refreshAllowance: TokenBucket
    private var forcedAllowances = ForcedAllowances()
    var hold: Delay?
    /// The time since which holds are in force without a gap.
    var heldSince: Instant?
    /// The circuit breaker.
    var circuit = CircuitBreaker()
    private var backoff = Backoff()
    private var first: Deque<CallID> = []
    private var callers = FairQueue()
    private var prefetches = FairQueue()
    private var background = RefreshQueue()
    /// The queued mints of a round, of which there are only a few.
    private(set) var roundCalls: Deque<CallID> = []
    /// True if the last background call was an urgent refresh.
    ///
    /// Then it is a prefetch's turn.
    private var lastWasUrgent = false
    var underWay = 0

    /// Creates the governor of a tenant that has not been called yet.
    init(_ limits: TenantPolicy, now: Instant) {
        self.limits = limits
        bucket = Self.bucket(limits, share: 1, now)
        refreshAllowance = Self.bucket(limits, share: GovernorConstants.refreshShare, now)
    }

    /// Applies other limits.
    ///
    /// Calls that were made under the old limits stay counted.
    mutating func reconfigure(_ limits: TenantPolicy, now: Instant) {
        guard limits != self.limits else { return }
        self.limits = limits
        applyLimits(now: now)
        forcedAllowances = ForcedAllowances()
    }

    private static func bucket(_ limits: TenantPolicy, share: Double, _ now: Instant) -> TokenBucket {
        TokenBucket(
            perMinute: share * Double(limits.ratePerMinute),
            burst: max(1, share * Double(limits.burst)),
            now: now
        )
    }

    // MARK: Queues

    /// Queues a call behind those of its rank.
    mutating func enqueue(_ call: CallID, as rank: Rank) -> Ticket {
        switch rank {
        case .first:
            first.append(call)
            return .first(call)
        case .caller(let peer): return .caller(callers.append(call, for: peer))
        case .prefetch(let peer): return .prefetch(prefetches.append(call, for: peer))
        case .background(let tokenEnds, let urgentFrom, let notBefore):
            return .background(
                background.insert(call, tokenEnds: tokenEnds, urgentFrom: urgentFrom, notBefore: notBefore)
            )
        case .round:
            roundCalls.append(call)
            return .round(call)
        }
    }

    /// Removes a call from its queue.
    mutating func withdraw(_ ticket: Ticket) {
        switch ticket {
        case .first(let call): first.removeAll { $0 == call }
        case .caller(let ticket): callers.remove(ticket)
        case .prefetch(let ticket): prefetches.remove(ticket)
        case .background(let ticket): background.remove(ticket)
        case .round(let call): roundCalls.removeAll { $0 == call }
        }
    }

    /// True if a queued call would go sooner at the position of another peer that now waits for it.
    func isSooner(_ ticket: Ticket, for peer: PeerUID) -> Bool {
        switch ticket {
        case .first: false
        case .caller(let ticket): ticket.peer != peer && callers.rankOfNext(for: peer) < callers.rank(of: ticket)
        case .prefetch, .background, .round: true
        }
    }

    /// The number of queued calls with waiting callers.
    var queuedCallers: Int { first.count + callers.count }
    /// The number of queued prefetches, of apps and of a round.
    var queuedPrefetches: Int { prefetches.count + roundCalls.count }
    /// The number of queued refreshes.
    var queuedRefreshes: Int { background.count }
    /// The number of queued calls that nobody waits for.
    var queuedAhead: Int { queuedPrefetches + background.count }
    /// The number of all queued calls.
    var queued: Int { queuedCallers + queuedAhead }

    /// Starts a walk through the callers' calls in their order.
    func walk() -> FairQueue.Walk { callers.walk() }
    /// Returns the current caller's call of a walk.
    func next(_ walk: inout FairQueue.Walk) -> CallID? { callers.next(&walk) }
    /// Moves a walk past a caller's call.
    func pass(_ walk: inout FairQueue.Walk) { callers.pass(&walk) }

    // MARK: Time

    /// Returns the call that may be sent now.
    ///
    /// It stays queued until ``start(_:_:usesClient:someoneWaits:now:)``.
    ///
    /// - Parameter someoneWaits: True if any caller waits for this tenant, for a queued call or one under way.
    mutating func candidate(at now: Instant, someoneWaits: Bool) -> CallID? {
        guard currentHold(at: now) == nil, circuit.allowsCall(now), bucket.hasOne(at: now),
            underWay < limits.maxConcurrent
        else { return nil }
        if let call = first.first ?? callers.first { return call }
        guard underWay < maxUnderWayForAhead else { return nil }
        let mayRefresh = !someoneWaits || refreshAllowance.hasOne(at: now)
        if mayRefresh, let refresh = background.first {
            let isTurn = prefetches.count == 0 || background.isUrgent(at: now) && !lastWasUrgent
            if isTurn { return refresh.call }
        }
        if let prefetch = prefetches.first { return prefetch }
        return background.first == nil && bucket.time(of: callsForRound, from: now) <= now ? roundCalls.first : nil
    }

    /// The number of calls in the bucket from which on one may go to a round.
    ///
    /// Half of the burst is left for callers, so that a round never makes them wait.
    private var callsForRound: Int { Int(bucket.burst) / 2 + 1 }

    /// Removes a call from its queue and counts it as under way until ``ended(_:_:jitterFraction:now:)``.
    ///
    /// - Parameter usesClient: True if its answer shows whether the tenant accepts the client.
    /// - Returns: What ``undo(_:_:now:)`` needs.
    @discardableResult
    mutating func start(
        _ call: CallID,
        _ ticket: Ticket,
        usesClient: Bool,
        someoneWaits: Bool,
        now: Instant
    ) -> Started {
        var started = Started()
        switch ticket {
        case .caller where callers.first == call: callers.removeFirst()
        case .prefetch where prefetches.first == call:
            prefetches.removeFirst()
            lastWasUrgent = false
        case .background:
            if someoneWaits { refreshAllowance.take(at: now) }
            started.tookRefresh = someoneWaits
            lastWasUrgent = background.isUrgent(at: now)
            withdraw(ticket)
        case .first, .caller, .prefetch, .round: withdraw(ticket)
        }
        bucket.take(at: now)
        underWay += 1
        circuit.started(call, usesClient: usesClient, now: now)
        return started
    }

    /// Returns the time for the next ``candidate(at:someoneWaits:)``, or nil if a call has to end or to be queued
    /// first.
    mutating func nextTime(_ now: Instant, someoneWaits: Bool) -> Instant? {
        circuit.update(now)
        // Expired calls are dropped even while no call is sent.
        let ends = [background.first?.tokenEnds, background.nextEndOfPause].compactMap(\.self).min()
        guard let start = nextStart(now, someoneWaits: someoneWaits) else { return ends }
        return ends.map { min($0, start) } ?? start
    }

    private func nextStart(_ now: Instant, someoneWaits: Bool) -> Instant? {
        if case .halfOpen(.some) = circuit.state { return nil }
        guard queued > 0, underWay < limits.maxConcurrent else { return nil }
        let start = bucket.time(of: 1, from: max(now, blockedUntil(now) ?? now))
        if queuedCallers > 0 { return start }
        guard underWay < maxUnderWayForAhead else { return nil }
        if prefetches.count > 0 { return start }
        guard background.first != nil else {
            return roundCalls.isEmpty ? nil : bucket.time(of: callsForRound, from: max(now, blockedUntil(now) ?? now))
        }
        return max(start, someoneWaits ? refreshAllowance.time(of: 1, from: now) : now)
    }

    /// The number of calls under way from which on only callers' calls are sent.
    ///
    /// One call is left for them, so that hanging refreshes don't block them.
    private var maxUnderWayForAhead: Int { max(1, limits.maxConcurrent - 1) }

    /// Returns the earliest time for a caller's call and the cause of its delay, or nil if it is now or unknown.
    ///
    /// - Parameters:
    ///   - ticket: The position of a queued call, or nil for a call that would be queued last.
    ///   - peer: The uid that waits for it. The sooner of both positions counts.
    ///   - others: The number of the same peer's calls that would be queued before it.
    func delay(of ticket: Ticket?, for peer: PeerUID, behind others: Int = 0, now: Instant) -> Delay? {
        var rank = callers.rankOfNext(for: peer, behind: others)
        switch ticket {
        case .first(let call): return delay(behind: first.firstIndex(of: call) ?? 0, now: now)
        case .caller(let ticket): rank = min(rank, callers.rank(of: ticket))
        case .prefetch, .background, .round, nil: break
        }
        return delay(behind: first.count + rank, now: now)
    }

    /// Returns the earliest time for a call behind a number of others.
    func delay(behind rank: Int, now: Instant) -> Delay? {
        let block = block(now)
        let start = max(now, block?.until ?? now)
        let paid = bucket.time(of: rank + 1, from: start)
        return paid > start ? Delay(until: paid, cause: .rate) : block
    }

    /// The calls that go before all callers' calls.
    var firstCalls: [CallID] { Array(first) }
    /// The number of these calls.
    var firstCount: Int { first.count }

    /// Returns the number of calls that the bucket allows at once.
    func available(at now: Instant) -> Double { bucket.available(at: now) }

    // MARK: Forced mints

    /// Returns the time until which a peer's allowance of forced mints is empty, or nil if it isn't.
    func forcedMintTime(for peer: PeerUID, now: Instant) -> Instant? {
        forcedAllowances.time(for: peer, within: limits, now: now)
    }

    /// Takes a forced mint from a peer's own allowance.
    mutating func takeForced(for peer: PeerUID, now: Instant) {
        forcedAllowances.take(for: peer, within: limits, now: now)
    }

    // MARK: Background calls

    /// Returns a background call whose token has expired.
    func expired(at now: Instant) -> CallID? {
        background.first.flatMap { $0.tokenEnds <= now ? $0.call : nil }
    }

    /// Ends the pause of one retry that is over, or returns false if there is none.
    mutating func endPause(at now: Instant) -> Bool { background.endPause(at: now) }

    /// Returns the pause before a refresh is retried.
    func pause(after last: Backoff.Pause?, left: Duration, jitterFraction: Double) -> Backoff.Pause {
        backoff.pause(after: last, left: left, jitterFraction: jitterFraction)
    }

    // MARK: Ends

    /// Records that a call has ended.
    ///
    /// - Parameter jitterFraction: A random number, evenly distributed from 0 up to 1.
    mutating func ended(
        _ call: CallID,
        _ ending: CircuitBreaker.Ending,
        jitterFraction: Double,
        now: Instant
    ) -> CircuitBreaker.Change {
        underWay -= 1
        if ending == .success { backoff.end() }
        circuit.update(now)
        return circuit.ended(call, ending, jitterFraction: jitterFraction, now: now)
    }

    /// True if retries are paused.
    var hasPauses: Bool { background.nextEndOfPause != nil }

    /// Ends the pause of one retry early, as the tenant is back, or returns false if there is none.
    mutating func endAnyPause() -> Bool { background.endPause(at: nil) }

    /// Opens the circuit, as the tenant denies the client.
    mutating func denyClient(jitterFraction: Double, now: Instant) -> CircuitBreaker.Change {
        circuit.open(.client, jitterFraction: jitterFraction, now: now)
    }

    /// Closes the circuit, if a denied client opened it.
    mutating func acceptClient() -> CircuitBreaker.Change { circuit.cause == .client ? circuit.close() : .none }
}
