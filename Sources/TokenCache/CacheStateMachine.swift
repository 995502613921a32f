import DequeModule
import TokenProtocol

/// Makes every decision about tokens: each method is an event, and its result is everything that the event causes.
///
/// It reads no clock, makes no call and takes random numbers only from its generator.
///
/// The state is divided into parts that know nothing of each other: tokens, negative entries, calls to tenants,
/// waiters, and one governor per tenant. No event walks through data that an app, a tenant or the clock can fill. Long
/// work is divided into slices, and ``CacheActions/wake`` asks for the next slice at once.
package struct CacheStateMachine {
    /// The maximum number of waiting requests.
    ///
    /// Each takes memory while the tenant is slow.
    package static let maxWaiters = 65_536
    /// The maximum number of queued prefetches.
    ///
    /// At a tenant's rate that is two hours of calls.
    package static let maxPrefetches = 10_000
    /// The maximum number of tokens that wait for revocation.
    ///
    /// Beyond it the tokens that expire soonest are dropped.
    package static let maxRevocations = 10_000
    /// The maximum number of mints per user at a time.
    ///
    /// Each has other scopes.
    static let maxMintsPerUser = 64
    /// The cost of the work of one kind that an event may do, which takes less than half a millisecond.
    ///
    /// See ``StepCost``. A call's steps are the dearest, at five microseconds.
    package static let defaultSliceSize = 256

    var policy: CachePolicy
    var tenants: [TenantID: TenantState] = [:]
    /// The configured tenants, sorted by name.
    var configured: [TenantID] = [] {
        didSet { identities = Dictionary(configured.map { ($0.name, $0) }) { first, _ in first } }
    }
    /// The configured tenants by name.
    private(set) var identities: [String: TenantID] = [:]
    var store: EntryStore
    /// The restoring of the last daemon's tokens.
    var restoration: Restoration
    var negatives = NegativeCache()
    var calls = CallTable()
    var waiters = Waiters()
    /// The expiry times of the tokens that wait for revocation.
    var revocationEnds = IndexedHeap<Instant, CallID>()
    var completions = Completions()
    /// The jobs at the tenants' APIs.
    var provisioning = Provisioning()
    /// The events of jobs that are to be handled.
    var jobEvents: Deque<JobEvent> = []
    /// The users that were provisioned lately.
    var provisioned = ProvisionMemory()
    /// The users that were created lately.
    var creations = RecentCreations()
    /// The times at which denied mints of users who were created lately are queued again.
    var retries = IndexedHeap<Instant, CallID>()
    var deferredWork: Deque<DeferredWork> = []
    /// The purposes of the pieces of deferred work.
    var deferredPurposes: Set<DeferredWork.Purpose> = []
    /// The cost of the work of one kind that an event may do.
    let sliceSize: Int
    /// The number of requests per uid that a quota has rejected.
    var overQuota: [PeerUID: Int] = [:]
    var statistics = CacheStatistics()
    /// True if the storage is kept for the next daemon.
    var keepsTokens = false
    /// The actions of the event that is being handled.
    var actions = CacheActions()
    /// The use of the second level, which several machines share.
    var fleet = FleetState()
    /// The number of mints of rounds that are queued or under way.
    var roundMints = 0
    var tenantTimers = IndexedHeap<Instant, TenantID>()
    private var touched: [TenantID] = []
    private var random: any RandomNumberGenerator
    private(set) var lastSerial: UInt64 = 0

    /// Creates an empty cache.
    ///
    /// If the storage has records of an earlier daemon, they are restored by ``beginRestoring(now:)``.
    package init(
        policy: CachePolicy,
        tenants: [TenantID: TenantPolicy],
        memory: CacheMemory,
        random: any RandomNumberGenerator,
        sliceSize: Int = Self.defaultSliceSize,
        now: Instant
    ) {
        self.sliceSize = sliceSize
        self.policy = policy
        store = EntryStore(in: memory, policy: policy)
        restoration = Restoration(hasRecords: store.hasUnreadRecords)
        self.random = random
        for (id, limits) in tenants {
            self.tenants[id] = TenantState(limits, now: now)
        }
        configured = tenants.keys.sorted { $0.name < $1.name }
        identities = Dictionary(configured.map { ($0.name, $0) }) { first, _ in first }
    }

    // MARK: Numbers

    /// Returns a number that is higher than all before.
    mutating func newSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    /// Returns a random number, evenly distributed from 0 up to 1.
    mutating func randomFraction() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    /// Returns a random number for a token's life, as a share of 2¹⁶.
    mutating func randomJitter() -> UInt16 { UInt16(truncatingIfNeeded: random.next() >> 48) }

    /// Returns the name of a new lease, which no other machine has.
    mutating func newNonce() -> UInt64 { random.next() }

    /// Returns the identity of a new span.
    mutating func newSpanID() -> SpanID { SpanID(random: random.next()) }

    // MARK: The end of an event

    /// Marks a tenant whose calls have changed, so that its next calls are chosen at the end of the event.
    mutating func touch(_ tenant: TenantID) {
        guard tenants[tenant]?.isTouched == false else { return }
        tenants[tenant]?.isTouched = true
        touched.append(tenant)
    }

    /// Completes an event and returns its actions.
    ///
    /// - Parameter performsDeferredWork: True if a slice of deferred work is done, too. Many such events in one round
    ///   of the loop would add up.
    mutating func finish(_ now: Instant, performsDeferredWork: Bool = true) -> CacheActions {
        var replies = sliceSize
        deliverReplies(&replies, now: now)
        if performsDeferredWork {
            performDeferredWork(now: now)
            performJobEvents(&replies, now: now)
        }
        deliverReplies(&replies, now: now)
        deliverJobReplies(&replies, now: now)
        attendToTenants(now: now)
        lookUpQueued()
        actions.wake = nextTime(now: now)
        defer { actions = CacheActions() }
        return actions
    }

    /// Completes an event that has an answer of its own.
    mutating func finish<Answer>(_ answer: Answer, _ now: Instant) -> Outcome<Answer> {
        Outcome(answer: answer, actions: finish(now))
    }

    /// Sends the next calls of the tenants whose calls have changed, and sets their timers.
    ///
    /// A reload or a release of all holds may concern a thousand tenants. What is left of them is done in the next slice.
    private mutating func attendToTenants(now: Instant) {
        var budget = sliceSize
        // Sending may touch a tenant again when it ends unwanted calls. The rest of those is left to the next slice.
        var sent: Set<TenantID> = []
        while budget > 0, let tenant = touched.popLast() {
            tenants[tenant]?.isTouched = false
            budget -= StepCost.tenant
            if sent.insert(tenant).inserted {
                for tier in Tier.allCases { sendCalls(of: tenant, tier, &budget, now: now) }
            }
            reportIncidents(of: tenant, now: now)
            feedRound(of: tenant, now: now)
            schedule(tenant, now: now)
        }
    }

    /// True if work is left that waits for nothing.
    var hasWork: Bool {
        !touched.isEmpty || !deferredWork.isEmpty || !completions.isEmpty || !jobEvents.isEmpty
            || provisioning.firstEnded != nil
    }

    /// The time of the next timer, or nil if none is set.
    private func nextTime(now: Instant) -> Instant? {
        if hasWork { return now }
        return [
            waiters.nextDeadline, store.nextTime, negatives.nextTime, tenantTimers.minPriority,
            provisioned.nextTime, retries.minPriority, fleet.nextTime,
        ]
        .compactMap(\.self).min()
    }

    /// Sets a tenant's timer to the time of its next call or report, or removes a retired tenant that has no calls.
    private mutating func schedule(_ tenant: TenantID, now: Instant) {
        guard let state = tenants[tenant] else { return }
        if let timer = state.timer { tenantTimers.remove(timer) }
        state.timer = nil
        let someoneWaits = waiters.count(for: tenant) > 0
        let times = [
            state.governor.nextTime(now, someoneWaits: someoneWaits), state.api.nextTime(now, someoneWaits: true),
            state.incidents.nextTime, isRestoring ? nil : state.round?.nextTime(now),
        ]
        if !state.isRetired, let next = times.compactMap(\.self).min() {
            state.timer = tenantTimers.insert(tenant, at: next)
        }
        if state.isRetired, !state.hasCalls {
            tenants[tenant] = nil
            fleet.forget(tenant)
        }
    }
}
