import DequeModule

/// Decides when each call to one tenant may go; nothing else delays or repeats a call.
///
/// Callers who wait go first, their apps in turn; then prefetches, by uid in turn; then refreshes, the one whose token
/// ends first ahead. A call goes when no hold is in force, the circuit lets it, the bucket can pay for it and fewer than
/// the allowed number are under way.
struct Governor {
    /// What a call is queued as.
    enum Rank: Equatable {
        /// Before all others: it finds out whether the tenant takes the client, or goes once more with a new secret.
        case first
        /// Somebody with this uid waits for it.
        case caller(PeerUID)
        /// Somebody will ask; it counts for this uid.
        case prefetch(PeerUID)
        /// Nobody waits, and it is of no use after the token's end; not before a time, where it is tried again.
        case background(tokenEnds: Instant, urgentFrom: Instant?, notBefore: Instant?)
    }

    /// Where a call is queued.
    enum Ticket: Equatable {
        case first(CallID)
        case caller(FairQueue.Ticket)
        case prefetch(FairQueue.Ticket)
        case background(RefreshQueue.Ticket)
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

    private(set) var limits: TenantPolicy
    private var bucket: TokenBucket
    private var refreshAllowance: TokenBucket
    private var forcedAllowances: [PeerUID: TokenBucket] = [:]
    private var hold: Delay?
    /// Since when the tenant wants to be left alone, one hold upon the other counted as one.
    private(set) var heldSince: Instant?
    /// Whether calls go at all.
    private(set) var circuit = CircuitBreaker()
    private var backoff = Backoff()
    private var first: Deque<CallID> = []
    private var callers = FairQueue()
    private var prefetches = FairQueue()
    private var background = RefreshQueue()
    /// Whether the last call that nobody waited for was an urgent refresh: the next is a prefetch's turn.
    private var lastWasUrgent = false
    private(set) var underWay = 0

    /// A tenant that has not been called yet.
    init(_ limits: TenantPolicy, now: Instant) {
        self.limits = limits
        bucket = Self.bucket(limits, share: 1, now)
        refreshAllowance = Self.bucket(limits, share: GovernorConstants.refreshShare, now)
    }

    /// Takes over other limits; what has been used up stays used up.
    mutating func reconfigure(_ limits: TenantPolicy, now: Instant) {
        guard limits != self.limits else { return }
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
        }
    }

    /// Takes a call out of its queue.
    mutating func withdraw(_ ticket: Ticket) {
        switch ticket {
        case .first(let call): first.removeAll { $0 == call }
        case .caller(let ticket): callers.remove(ticket)
        case .prefetch(let ticket): prefetches.remove(ticket)
        case .background(let ticket): background.remove(ticket)
        }
    }

    /// Another peer has come to wait for a queued call: whether its turn would be sooner than the call's present one.
    func isSooner(_ ticket: Ticket, for peer: PeerUID) -> Bool {
        switch ticket {
        case .first: false
        case .caller(let ticket): ticket.peer != peer && callers.rankOfNext(for: peer) < callers.rank(of: ticket)
        case .prefetch, .background: true
        }
    }

    /// How many callers' calls wait for their time.
    var queuedCallers: Int { first.count + callers.count }
    /// How many prefetches wait for their time.
    var queuedPrefetches: Int { prefetches.count }
    /// How many refreshes wait for their time.
    var queuedRefreshes: Int { background.count }
    /// How many calls wait that nobody waits for.
    var queuedAhead: Int { prefetches.count + background.count }
    /// How many calls wait for their time.
    var queued: Int { queuedCallers + queuedAhead }

    /// How many prefetches of a uid wait.
    func queuedPrefetches(of peer: PeerUID) -> Int { prefetches.count(of: peer) }
    /// The uids that have prefetches waiting.
    var prefetchers: some Sequence<PeerUID> { prefetches.peers }
    /// The prefetch of a uid that came last.
    func lastPrefetch(of peer: PeerUID) -> CallID? { prefetches.last(of: peer) }

    /// Begins to go through the callers' calls in their order.
    func walk() -> FairQueue.Walk { callers.walk() }
    /// The next caller's call.
    func next(_ walk: inout FairQueue.Walk) -> CallID? { callers.next(&walk) }
    /// Passes a caller's call.
    func pass(_ walk: inout FairQueue.Walk) { callers.pass(&walk) }

    // MARK: Time

    /// The call whose turn it is now, if one may go; it stays queued until ``start(_:_:usesClient:someoneWaits:now:)``.
    ///
    /// - Parameter someoneWaits: Whether any caller waits for this tenant, for a queued call or one under way.
    mutating func candidate(at now: Instant, someoneWaits: Bool) -> CallID? {
        guard currentHold(at: now) == nil, circuit.letsCallGo(now), bucket.hasOne(at: now),
            underWay < limits.maxConcurrent
        else { return nil }
        if let call = first.first ?? callers.first { return call }
        guard underWay < slotsForAhead else { return nil }
        let mayRefresh = !someoneWaits || refreshAllowance.hasOne(at: now)
        if mayRefresh, let refresh = background.first {
            let isTurn = prefetches.count == 0 || background.isUrgent(at: now) && !lastWasUrgent
            if isTurn { return refresh.call }
        }
        return prefetches.first
    }

    /// Takes a call out of its queue and counts it as under way until ``ended(_:_:draw:now:)``.
    ///
    /// - Parameter usesClient: Whether its answer tells if the tenant takes the client.
    mutating func start(_ call: CallID, _ ticket: Ticket, usesClient: Bool, someoneWaits: Bool, now: Instant) {
        switch ticket {
        case .caller where callers.first == call: callers.removeFirst()
        case .prefetch where prefetches.first == call:
            prefetches.removeFirst()
            lastWasUrgent = false
        case .background:
            if someoneWaits { refreshAllowance.take(at: now) }
            lastWasUrgent = background.isUrgent(at: now)
            withdraw(ticket)
        case .first, .caller, .prefetch: withdraw(ticket)
        }
        bucket.take(at: now)
        underWay += 1
        circuit.started(call, usesClient: usesClient, now: now)
    }

    /// When ``candidate(at:someoneWaits:)`` is worth asking again; nil: not before some call ends or is queued.
    mutating func nextTime(_ now: Instant, someoneWaits: Bool) -> Instant? {
        circuit.update(now)
        // What has ended by itself is dropped even while nothing goes.
        let ends = [background.first?.tokenEnds, background.nextEndOfPause].compactMap(\.self).min()
        guard let start = nextStart(now, someoneWaits: someoneWaits) else { return ends }
        return ends.map { min($0, start) } ?? start
    }

    private func nextStart(_ now: Instant, someoneWaits: Bool) -> Instant? {
        if case .halfOpen(.some) = circuit.state { return nil }
        guard queued > 0, underWay < limits.maxConcurrent else { return nil }
        let start = bucket.time(of: 1, from: max(now, blockedUntil(now) ?? now))
        if queuedCallers > 0 { return start }
        guard underWay < slotsForAhead else { return nil }
        if prefetches.count > 0 { return start }
        guard background.first != nil else { return nil }
        return max(start, someoneWaits ? refreshAllowance.time(of: 1, from: now) : now)
    }

    /// Where several calls may be under way, one place is left for callers: refreshes that hang don't keep them out.
    private var slotsForAhead: Int { max(1, limits.maxConcurrent - 1) }

    /// The earliest time at which a caller's call could go, and what it waits for until then; nil: now, or nobody knows.
    ///
    /// - Parameters:
    ///   - ticket: That of a queued call, or nil for one that would be queued last.
    ///   - peer: Who waits for it, and would bring the sooner of both places.
    ///   - others: How many of the same peer's would be queued before it.
    func delay(of ticket: Ticket?, for peer: PeerUID, behind others: Int = 0, now: Instant) -> Delay? {
        var rank = callers.rankOfNext(for: peer, behind: others)
        switch ticket {
        case .first(let call): return delay(behind: first.firstIndex(of: call) ?? 0, now: now)
        case .caller(let ticket): rank = min(rank, callers.rank(of: ticket))
        case .prefetch, .background, nil: break
        }
        return delay(behind: first.count + rank, now: now)
    }

    /// The earliest time at which a call could go that so many others go before.
    func delay(behind rank: Int, now: Instant) -> Delay? {
        let block = block(now)
        let start = max(now, block?.until ?? now)
        let paid = bucket.time(of: rank + 1, from: start)
        return paid > start ? Delay(until: paid, cause: .rate) : block
    }

    /// The calls that go before all callers' calls.
    var firstCalls: [CallID] { Array(first) }

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
        guard allowance.hasOne(at: now) else { return allowance.time(of: 1, from: now) }
        allowance.take(at: now)
        if forcedAllowances.count >= GovernorConstants.mostAllowances {
            forcedAllowances = forcedAllowances.filter { !$0.value.isFull(at: now) }
        }
        forcedAllowances[peer] = allowance
        return nil
    }

    // MARK: Background calls

    /// A call of no use any more, as its token has ended.
    func expired(at now: Instant) -> CallID? {
        background.first.flatMap { $0.tokenEnds <= now ? $0.call : nil }
    }

    /// Lets a call in that is tried again and whose pause is over; false: there is none.
    mutating func endPause(at now: Instant) -> Bool { background.endPause(at: now) }

    /// The pause before a refresh is tried again.
    func pause(after last: Backoff.Pause?, left: Duration, draw: Double) -> Backoff.Pause {
        backoff.pause(after: last, left: left, draw: draw)
    }

    // MARK: Ends

    /// A call has come back.
    ///
    /// - Parameter draw: Evenly from 0 up to 1.
    mutating func ended(
        _ call: CallID,
        _ ending: CircuitBreaker.Ending,
        draw: Double,
        now: Instant
    ) -> CircuitBreaker.Change {
        underWay -= 1
        if ending == .success { backoff.end() }
        circuit.update(now)
        return circuit.ended(call, ending, draw: draw, now: now)
    }

    /// Whether calls are queued that are tried again later.
    var hasPauses: Bool { background.nextEndOfPause != nil }

    /// Lets one call in that is tried again, though its pause isn't over: the tenant is back; false: there is none.
    mutating func endAnyPause() -> Bool { background.endPause(at: nil) }

    /// Opens the circuit: the tenant refuses the client.
    mutating func refuseClient(draw: Double, now: Instant) -> CircuitBreaker.Change {
        circuit.open(.client, draw: draw, now: now)
    }

    /// Closes the circuit, if it was opened because the tenant refused the client.
    mutating func acceptClient() -> CircuitBreaker.Change { circuit.cause == .client ? circuit.close() : .none }
}
