import DequeModule
import TokenProtocol

/// Decides everything about tokens: a value that is told what happened and when, and answers with all that is to be done.
///
/// It looks at no clock, makes no call and draws no random number but from the generator that it is given. Each event is
/// one method, and what that returns is the whole of what the event has its owner do.
///
/// The state lies in parts that know nothing of each other: the tokens, what is remembered of refused users, the calls to
/// tenants, those who wait, and a governor for each tenant. What an app, a tenant or the clock can fill is never gone
/// through in one event: long work is divided into slices, and ``CacheActions/wake`` asks for the next one at once.
package struct CacheStateMachine {
    /// More requests than this never wait in all: each takes memory while the tenant is slow.
    package static let mostWaiting = 65_536
    /// More prefetches than this are never queued in all: at a tenant's pace that is two hours of calls.
    package static let mostPrefetches = 10_000
    /// More tokens than this are never to be revoked in all; past it those go that end soonest by themselves.
    package static let mostRevocations = 10_000
    /// One user has no more mints at a time: each has other scopes.
    static let mostMintsPerUser = 64
    /// So many steps of long work are done in one event, which takes less than a millisecond.
    package static let defaultSliceSize = 256

    /// What is known of a tenant.
    struct TenantState {
        let identity: TenantPolicy.Identity
        var governor: Governor
        /// What is thought of the client.
        var client = ClientHealth()
        var lastSuccess: Instant?
        var lastError: (error: ErrorReply, at: Instant)?
        /// Whether a reload has removed it: nothing is called any more, and it goes when its last call is back.
        var isRetired = false
        var timer: IndexedHeap<Instant, TenantID>.Handle?
    }

    var policy: CachePolicy
    var tenants: [TenantID: TenantState] = [:]
    /// The tenants that are configured, by name.
    var configured: [TenantID] = []
    var store = EntryStore()
    var negatives = NegativeCache()
    var calls = CallTable()
    var waiters = Waiters()
    /// When each of the tokens ends that are to be revoked.
    var revocationEnds = IndexedHeap<Instant, CallID>()
    var settlements = Settlements()
    var chores: Deque<Chore> = []
    /// How many steps of long work are done in one event.
    let sliceSize: Int
    /// How many requests of each uid were refused by a quota.
    var overQuota: [PeerUID: Int] = [:]
    var statistics = CacheStatistics()
    /// When uses are persisted next; nil: nothing is persisted.
    var nextUses: Instant?
    /// Whether there was no room for the last token that was to be persisted.
    var persistenceIsFull = false
    /// What the event that is being handled has the shell do.
    var actions = CacheActions()
    var tenantTimers = IndexedHeap<Instant, TenantID>()
    private var touched: [TenantID] = []
    private var random: any RandomNumberGenerator
    private(set) var lastSerial: UInt64 = 0

    /// An empty cache.
    package init(
        policy: CachePolicy,
        tenants: [TenantID: TenantPolicy],
        random: any RandomNumberGenerator,
        sliceSize: Int = Self.defaultSliceSize,
        now: Instant
    ) {
        self.sliceSize = sliceSize
        self.policy = policy
        self.random = random
        for (id, limits) in tenants {
            self.tenants[id] = TenantState(identity: limits.identity, governor: Governor(limits, now: now))
        }
        configured = tenants.keys.sorted { $0.name < $1.name }
    }

    // MARK: Numbers

    /// A number that is higher than all before.
    mutating func newSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    /// Evenly from 0 up to 1.
    mutating func draw() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    // MARK: The end of an event

    /// A tenant's calls have changed: which go next is looked at when the event is over.
    mutating func touch(_ tenant: TenantID) {
        if !touched.contains(tenant) { touched.append(tenant) }
    }

    /// Completes what an event has the shell do.
    ///
    /// - Parameter worksOff: Whether a slice of long work is done, too: many such events in one round would add up.
    mutating func finish(_ now: Instant, worksOff: Bool = true) -> CacheActions {
        var replies = sliceSize
        deliverSettlements(&replies, now: now)
        if worksOff { workOff(now: now) }
        deliverSettlements(&replies, now: now)
        // Sending may touch a tenant again, as calls are ended that nobody wants: what is left of those is the next slice's.
        var sent: [TenantID] = []
        while let tenant = touched.popLast() {
            if !sent.contains(tenant) { sendCalls(of: tenant, now: now) }
            sent.append(tenant)
            schedule(tenant, now: now)
        }
        actions.changes = store.takeChanges()
        actions.wake = nextTime(now: now)
        defer { actions = CacheActions() }
        return actions
    }

    /// Completes an event that has an answer of its own.
    mutating func finish<Answer>(_ answer: Answer, _ now: Instant) -> Outcome<Answer> {
        Outcome(answer: answer, actions: finish(now))
    }

    /// When something is due next; nil: nothing is, until something happens.
    private func nextTime(now: Instant) -> Instant? {
        if !chores.isEmpty || !settlements.isEmpty { return now }
        return [
            waiters.nextDeadline, store.nextTime, negatives.nextTime, tenantTimers.minPriority, nextUses,
        ]
        .compactMap(\.self).min()
    }

    /// Sets the timer of a tenant to when its next call may go; a retired one without calls is forgotten.
    private mutating func schedule(_ tenant: TenantID, now: Instant) {
        guard var state = tenants[tenant] else { return }
        if let timer = state.timer { tenantTimers.remove(timer) }
        state.timer = nil
        let someoneWaits = waiters.count(for: tenant) > 0
        if !state.isRetired, let next = state.governor.nextTime(now, someoneWaits: someoneWaits) {
            state.timer = tenantTimers.insert(tenant, at: next)
        }
        let isOver = state.isRetired && state.governor.queued == 0 && state.governor.underWay == 0
        tenants[tenant] = isOver ? nil : state
    }
}
