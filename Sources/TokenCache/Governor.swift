import DequeModule
import HeapModule

/// Decides when each call to one tenant may go; nothing else delays a call.
///
/// Callers who wait go first, in the order in which they came; then prefetches; then refreshes, the one whose token ends
/// first ahead. A call goes when no hold is in force, the bucket can pay for it and fewer than the allowed number are
/// under way.
struct Governor {
    /// While anyone waits, refreshes use at most this share of the bucket.
    static let refreshShare = 0.3
    /// How long the tenant is left alone that asks for it without a usable time.
    static let holdWithoutTime = Duration.seconds(5)
    /// No hold is longer, whatever the tenant says: an hour, after which asking again costs one call.
    static let longestHold = Duration.seconds(3_600)
    /// Holds are drawn out by up to this share, so that several daemons don't come back together.
    static let holdSpread = 0.1

    /// What a call is for, which is its rank.
    enum Purpose: Equatable {
        case caller
        case prefetch
        case refresh(tokenEnds: Instant)
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
    private var hold: Delay?
    private var callers = CallerQueue()
    private var prefetches: Deque<CallID> = []
    private var refreshes = Heap<Refresh>()
    /// What each queued call is for; what stands in a queue without being here as such has moved or gone.
    private var purposes: [CallID: Purpose] = [:]
    private(set) var queuedPrefetches = 0
    private(set) var underWay = 0

    /// A tenant that has not been called yet.
    init(_ limits: TenantPolicy, now: Instant) {
        self.limits = limits
        bucket = TokenBucket(perMinute: Double(limits.ratePerMinute), burst: Double(limits.burst), now: now)
        refreshAllowance = TokenBucket(
            perMinute: Self.refreshShare * Double(limits.ratePerMinute),
            burst: max(1, Self.refreshShare * Double(limits.burst)),
            now: now
        )
    }

    /// Takes over other limits; what has been used up stays used up.
    mutating func reconfigure(_ limits: TenantPolicy, now: Instant) {
        if limits.identity != self.limits.identity { hold = nil }
        self.limits = limits
        bucket.reconfigure(perMinute: Double(limits.ratePerMinute), burst: Double(limits.burst), now: now)
        refreshAllowance.reconfigure(
            perMinute: Self.refreshShare * Double(limits.ratePerMinute),
            burst: max(1, Self.refreshShare * Double(limits.burst)),
            now: now
        )
    }

    // MARK: Queues

    /// Queues a call, behind those of its rank.
    mutating func enqueue(_ call: CallID, as purpose: Purpose) {
        purposes[call] = purpose
        switch purpose {
        case .caller: callers.append(call)
        case .prefetch:
            prefetches.append(call)
            queuedPrefetches += 1
        case .refresh(let tokenEnds): refreshes.insert(Refresh(tokenEnds: tokenEnds, call: call))
        }
    }

    /// Queues a caller's call before all others: it was under way and has to go once more.
    mutating func enqueueFirst(_ call: CallID) {
        purposes[call] = .caller
        callers.prepend(call)
    }

    /// Makes a queued prefetch or refresh a caller's call, because a caller has come to wait for it.
    mutating func promote(_ call: CallID) {
        guard let purpose = purposes[call], purpose != .caller else { return }
        withdraw(call)
        enqueue(call, as: .caller)
    }

    /// Takes a call out of its queue.
    mutating func withdraw(_ call: CallID) {
        switch purposes.removeValue(forKey: call) {
        case .caller: callers.remove(call)
        case .prefetch: queuedPrefetches -= 1
        case .refresh, nil: break
        }
    }

    /// How many callers' calls wait for their time.
    var queuedCallers: Int { callers.count }

    /// How many prefetches and refreshes wait for their time.
    var queuedAhead: Int { purposes.count - callers.count }

    // MARK: Time

    /// The call that goes now, if one may; it counts as under way until ``ended()``.
    ///
    /// - Parameter someoneWaits: Whether any caller waits for this tenant, for a queued call or one under way.
    mutating func next(at now: Instant, someoneWaits: Bool) -> CallID? {
        guard holdEnd(now) == nil, bucket.hasOne(at: now), let call = takeNext(now, someoneWaits) else { return nil }
        purposes[call] = nil
        bucket.take(at: now)
        underWay += 1
        return call
    }

    /// A call has come back; it may have been ordered by the governor of a tenant of this name that a reload removed.
    mutating func ended() { underWay = max(0, underWay - 1) }

    /// When ``next(at:someoneWaits:)`` is worth asking again; nil: not before some call ends or is queued.
    func nextTime(_ now: Instant, someoneWaits: Bool) -> Instant? {
        guard !purposes.isEmpty, underWay < limits.maxConcurrent else { return nil }
        let start = max(bucket.time(of: 1, now: now), holdEnd(now) ?? now)
        if callers.count > 0 { return start }
        guard underWay < slotsForAhead else { return nil }
        guard queuedPrefetches == 0, someoneWaits else { return start }
        return max(start, refreshAllowance.time(of: 1, now: now))
    }

    /// The earliest time at which a caller's call could go, and what it waits for until then; nil: now.
    ///
    /// - Parameter call: A queued one, or nil for one that would be queued last.
    func delay(of call: CallID?, now: Instant) -> Delay? {
        let place = call.flatMap { callers.place(of: $0) } ?? callers.count
        let paid = Delay(until: bucket.time(of: place + 1, now: now), cause: .rate)
        guard let hold, hold.until > now, hold.until >= paid.until else { return paid.until > now ? paid : nil }
        return hold
    }

    /// The tenant wants to be left alone.
    ///
    /// - Parameters:
    ///   - length: For how long, where it said so usably.
    ///   - draw: Evenly from 0 up to 1.
    mutating func hold(_ length: Duration?, cause: Delay.Cause, draw: Double, now: Instant) {
        let asked = min(length ?? Self.holdWithoutTime, Self.longestHold)
        let end = now + asked * (1 + Self.holdSpread * draw)
        guard end > hold?.until ?? now else { return }
        hold = Delay(until: end, cause: cause)
    }

    /// The callers' calls, in the order in which they will go.
    var callersInOrder: [CallID] { callers.inOrder }

    /// Calls that could go at once, if no hold were in force.
    func available(at now: Instant) -> Double { bucket.available(at: now) }

    /// The hold that is in force.
    func currentHold(at now: Instant) -> Delay? { hold.flatMap { $0.until > now ? $0 : nil } }

    private func holdEnd(_ now: Instant) -> Instant? { currentHold(at: now)?.until }

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
        while let refresh = refreshes.min, purposes[refresh.call] != .refresh(tokenEnds: refresh.tokenEnds) {
            refreshes.removeMin()
        }
        guard let refresh = refreshes.min, !someoneWaits || refreshAllowance.hasOne(at: now) else { return nil }
        refreshAllowance.take(at: now)
        refreshes.removeMin()
        return refresh.call
    }
}
