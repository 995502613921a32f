package import Secrets
package import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Makes the calls that the cache orders; it decides nothing about time.
package protocol TenantCalling: Sendable {
    /// Asks the tenant for a token.
    func mint(_ key: TokenKey) async -> MintResult
    /// Has the tenant revoke a token.
    func revoke(_ token: AccessToken, tenant: String) async -> RevocationResult
}

/// The cache of users' tokens.
///
/// The actor runs on the executor that it is given, which is the event loop that serves the connections: there a request
/// is a synchronous call by `assumeIsolated`. It decides nothing: it feeds ``CacheStateMachine`` and performs what it
/// says. Calls to tenants are made by ``run(_:)``, which lives as long as the daemon.
package actor TokenCache {
    /// What the cache needs of the world, each called on its executor.
    package struct Surroundings: Sendable {
        /// The clock that goes on in suspend.
        package var now: @Sendable () -> Instant
        /// Wakes the cache by ``timePassed()`` at a time, or not at all.
        package var wake: @Sendable (_ at: Instant?) -> Void
        /// Hands a reply to a request that waited.
        package var deliver: @Sendable (Delivery) -> Void
        /// Tells operators something; it must not wait.
        package var notify: @Sendable (CacheNotice) -> Void
        /// Keeps a record in the audit trail; it must not wait.
        package var audit: @Sendable (AuditRecord) -> Void

        /// Names them.
        package init(
            now: @escaping @Sendable () -> Instant = { ContinuousClock.now },
            wake: @escaping @Sendable (_ at: Instant?) -> Void,
            deliver: @escaping @Sendable (Delivery) -> Void,
            notify: @escaping @Sendable (CacheNotice) -> Void,
            audit: @escaping @Sendable (AuditRecord) -> Void
        ) {
            self.now = now
            self.wake = wake
            self.deliver = deliver
            self.notify = notify
            self.audit = audit
        }
    }

    private nonisolated let executor: any SerialExecutor
    private let surroundings: Surroundings
    private let orders: AsyncStream<CallOrder>
    private let ordering: AsyncStream<CallOrder>.Continuation
    private var machine: CacheStateMachine
    private var keeper: (any TokenKeeper)?

    /// The executor that was given; computed, as an unowned reference must not outlive what it was made from.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// An empty cache.
    package init(
        on executor: any SerialExecutor,
        policy: CachePolicy,
        tenants: [String: TenantPolicy],
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        surroundings: Surroundings
    ) {
        self.executor = executor
        self.surroundings = surroundings
        (orders, ordering) = AsyncStream.makeStream()
        machine = CacheStateMachine(policy: policy, tenants: tenants, random: random, now: surroundings.now())
    }

    // MARK: Requests

    /// A user's token where it is there and needs nothing done, looked up by a request's own bytes.
    package func hit(
        _ tenant: String,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet,
        minTTL: Duration?,
        for peer: PeerUID,
        now: Instant
    ) -> TokenReply? {
        machine.hit(tenant, field, user, scopes, minTTL: minTTL, for: peer, now: now)
    }

    /// A user's token, or nil where the answer comes later.
    package func token(
        _ key: TokenKey,
        _ wish: CacheStateMachine.Wish,
        waiter: Waiter,
        now: Instant
    ) -> Reply? {
        switch machine.request(key, wish, waiter: waiter, now: now) {
        case .serve(let reply): return .token(reply)
        case .serveAndRefresh(let reply):
            settle(now)
            return .token(reply)
        case .wait:
            settle(now)
            return nil
        case .refuse(let error):
            settle(now)
            return .error(error)
        }
    }

    /// Plans mints before anyone waits for them.
    package func prefetch(_ keys: some Sequence<TokenKey>, for peer: Peer, now: Instant) -> Reply {
        let count = machine.prefetch(keys, for: peer, now: now)
        settle(now)
        return .prefetch(queued: count.queued, cached: count.cached, refused: count.refused)
    }

    /// Drops a token that an API has refused.
    package func invalidate(_ key: TokenKey, _ fingerprint: Fingerprint, now: Instant) -> Reply {
        defer { settle(now) }
        return switch machine.invalidate(key, fingerprint, now: now) {
        case .dropped: .invalidated(true, retryAfter: nil)
        case .unknown: .invalidated(false, retryAfter: nil)
        case .tooYoung(let retryAfter): .invalidated(false, retryAfter: retryAfter)
        }
    }

    /// Drops a user's tokens and revokes them at the tenant; nil where the answer comes later.
    package func revoke(
        _ user: UserKey,
        scopes: ScopeSet?,
        waiter: Waiter,
        for peer: Peer,
        now: Instant
    ) -> Reply? {
        let action = machine.revoke(user, scopes: scopes, waiter: waiter, for: peer, now: now)
        settle(now, action.deliveries)
        return action.reply
    }

    /// Drops a user's tokens.
    package func evict(_ user: UserKey, scopes: ScopeSet?, now: Instant) -> Reply {
        machine.evict(user, scopes: scopes)
        settle(now)
        return .evicted
    }

    /// Drops all tokens, of one tenant or of all.
    ///
    /// - Returns: How many.
    package func flush(tenant: String?, now: Instant) -> Int {
        defer { settle(now) }
        return machine.flush(tenant: tenant)
    }

    /// A page of the cache's content.
    package func entries(_ request: EntriesRequest, now: Instant) -> Reply {
        machine.entries(request, now: now).map(Reply.entries)
            ?? .error(ErrorReply(.invalidRequest, "'after' must be a cursor that an earlier page ended with"))
    }

    /// Whether tenants are reachable and take the client.
    package func health(now: Instant) -> Reply { .health(machine.health(now: now, wall: Date())) }

    /// Why the next answer for a key would be what it is.
    package func explain(_ key: TokenKey, for peer: PeerUID, now: Instant) -> Reply {
        .explained(machine.explain(key, for: peer, now: now))
    }

    /// Counters, gauges and quantiles, as far as the cache knows them.
    package func stats(now: Instant) -> StatsReply { machine.stats(now: now) }

    /// Notes how long so many hits took that were answered together.
    package func recordHits(_ count: Int, _ latency: Duration) { machine.recordHits(count, latency) }

    /// Some who waited are gone.
    package func leave(_ waiters: [Waiter]) {
        machine.leave(waiters)
        settle(surroundings.now())
    }

    // MARK: The world

    /// The time is come that was asked for.
    package func timePassed() {
        let now = surroundings.now()
        settle(now, machine.timePassed(now: now))
    }

    /// A client's secret has changed.
    package func secretChanged(of tenant: String) {
        machine.secretChanged(of: tenant)
        settle(surroundings.now())
    }

    /// Takes over another configuration.
    package func reconfigure(policy: CachePolicy, tenants: [String: TenantPolicy]) {
        let now = surroundings.now()
        settle(now, machine.reconfigure(policy: policy, tenants: tenants, now: now))
    }

    // MARK: The next daemon

    /// Takes over what an earlier daemon has kept, and keeps what comes with the same keeper.
    ///
    /// - Returns: How many tokens are cached now that weren't.
    package func begin(with keeper: sending any TokenKeeper) async -> Int {
        let now = surroundings.now()
        machine.recordsChanges = true
        var restored = 0
        let identities = machine.identities
        keeper.handOver { place, token in
            let isTaken = machine.restore(token, place: place, among: identities, now: now)
            if isTaken { restored += 1 }
            return isTaken
        }
        machine.planRestored(now: now)
        self.keeper = keeper
        settle(now)
        // Some at a time: requests are answered in between, and what comes or goes meanwhile is kept or dropped as ever.
        var slot = 0
        while keepUnkept(from: slot, slot + Self.keptTogether) {
            slot += Self.keptTogether
            await Task.yield()
        }
        return restored
    }

    /// So many tokens are kept in one go, which takes a millisecond or two.
    private static let keptTogether = 1_000

    /// Keeps nothing any more.
    package func endKeeping() {
        keeper?.end()
        keeper = nil
        machine.endKeeping()
    }

    /// Notes for the next daemon which users were seen since their tokens came.
    package func noteUses() {
        guard let keeper else { return }
        for (place, time) in machine.uses { keeper.note(place, lastAsked: time) }
    }

    /// What is kept is in safety.
    package func stored(_ generation: UInt64) {
        if keeper?.stored(generation) == true { _ = keepUnkept(from: 0, machine.slotCount) }
    }

    private func keepChanges() {
        guard let keeper else { return }
        let changes = machine.takeChanges()
        // A token is kept before the one that it replaces is dropped: a daemon that is killed in between leaves two, of
        // which the next one takes the later, and not none.
        for case .came(let entry, let slot) in changes where machine.isThere(entry, slot) {
            entry.place = keeper.keep(machine.kept(entry, slot))
        }
        for case .went(_, let place) in changes { keeper.drop(place) }
    }

    /// Keeps what lies in some slots and isn't kept; false: there are no more, or there is no room.
    private func keepUnkept(from start: Int, _ end: Int) -> Bool {
        guard let keeper, start < machine.slotCount else { return false }
        for slot in start..<min(end, machine.slotCount) {
            guard let entry = machine.unkept(slot) else { continue }
            entry.place = keeper.keep(machine.kept(entry, slot))
            guard entry.place != nil else { return false }
        }
        return true
    }

    /// Makes the calls that the cache orders, until ``stop()``; calls that are under way then are cancelled.
    package nonisolated func run(_ tenants: some TenantCalling) async {
        await withDiscardingTaskGroup { group in
            for await order in orders {
                group.addTask { await self.perform(order, tenants) }
            }
            group.cancelAll()
        }
    }

    /// Ends ``run(_:)``; what is ordered from now on is not done.
    package nonisolated func stop() { ordering.finish() }

    private nonisolated func perform(_ order: CallOrder, _ tenants: some TenantCalling) async {
        switch order {
        case .mint(let call, let key): await ended(call, tenants.mint(key))
        case .revoke(let call, let tenant, let token): await revoked(call, tenants.revoke(token, tenant: tenant))
        }
    }

    private func ended(_ call: CallID, _ result: MintResult) {
        let now = surroundings.now()
        settle(now, machine.ended(call, result, now: now, wall: Date()))
    }

    private func revoked(_ call: CallID, _ result: RevocationResult) {
        let now = surroundings.now()
        settle(now, machine.revocationEnded(call, result, now: now))
    }

    /// Performs what an event has brought: replies, calls, the next wake-up.
    private func settle(_ now: Instant, _ deliveries: [Delivery] = []) {
        while let order = machine.nextCall(now: now) { ordering.yield(order) }
        surroundings.wake(machine.nextTime(now: now))
        // Before anyone hears of a token, so that a crash in between can't cost a mint.
        keepChanges()
        for notice in machine.takeNotices() { surroundings.notify(notice) }
        for record in machine.takeRecords() { surroundings.audit(record) }
        for delivery in deliveries { surroundings.deliver(delivery) }
        for delivery in machine.takeDisplaced() { surroundings.deliver(delivery) }
    }
}
