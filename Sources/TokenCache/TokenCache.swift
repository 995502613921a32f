package import OperatorReplies
package import Secrets
package import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// TokenCache: whose token is cached, when it is minted, and what is answered meanwhile.
//
// Why it exists: the tenant is slow, counts calls and gives out tokens that live for hours. This module keeps them, has
// each key minted by one call however many ask, refreshes ahead of time what is in use, and paces the calls. It promises
// that nothing is served within its safety margin, that a failure never replaces a living token, and that what was asked
// before an invalidation is never cached after it.
//
// Every decision is made by ``CacheStateMachine``, a value that is told the time and never looks at a clock; the actor
// ``TokenCache`` only performs what it says.

/// Makes the calls that the cache orders; it decides nothing about time.
package protocol TenantCalling: Sendable {
    /// Asks the tenant for a token.
    func mint(_ key: TokenKey) async -> MintResult
    /// Has the tenant revoke a token.
    func revoke(_ token: AccessToken, tenant: TenantID) async -> RevocationResult
}

/// The cache of users' tokens.
///
/// The actor runs on the executor that it is given, which is the event loop that serves the connections: there a request
/// is a synchronous call by `assumeIsolated`. It decides nothing: it feeds ``CacheStateMachine`` and performs what it
/// says. Calls to tenants are made by ``run(_:)``, which lives as long as the daemon.
package actor TokenCache {
    /// What the cache needs from outside, each called on its executor.
    package struct Dependencies: Sendable {
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
    private let dependencies: Dependencies
    private let orders: AsyncStream<CallOrder>
    private let ordering: AsyncStream<CallOrder>.Continuation
    private var machine: CacheStateMachine
    private var tokenStore: (any TokenStore)?

    /// The executor that was given; computed, as an unowned reference must not outlive what it was made from.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// An empty cache.
    package init(
        on executor: any SerialExecutor,
        policy: CachePolicy,
        tenants: [TenantID: TenantPolicy],
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        dependencies: Dependencies
    ) {
        self.executor = executor
        self.dependencies = dependencies
        (orders, ordering) = AsyncStream.makeStream()
        machine = CacheStateMachine(policy: policy, tenants: tenants, random: random, now: dependencies.now())
    }

    // MARK: Requests

    /// A user's token where it is there and needs nothing done, looked up by a request's own bytes.
    package func hit(
        _ tenant: TenantID,
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
    package func token(_ key: TokenKey, _ options: RequestOptions, waiter: Waiter, now: Instant) -> Reply? {
        switch perform(machine.request(key, options, waiter: waiter, now: now)) {
        case .serve(let reply), .serveAndRefresh(let reply): .token(reply)
        case .wait: nil
        case .refuse(let error): .error(error)
        }
    }

    /// Plans mints before anyone waits for them.
    package func prefetch(_ keys: some Sequence<TokenKey>, for peer: Peer, now: Instant) -> Reply {
        let count = perform(machine.prefetch(keys, for: peer, now: now))
        return .prefetch(queued: count.queued, cached: count.cached, refused: count.refused)
    }

    /// Drops a token that an API has refused.
    package func invalidate(_ key: TokenKey, _ fingerprint: Fingerprint, now: Instant) -> Reply {
        switch perform(machine.invalidate(key, fingerprint, now: now)) {
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
        perform(machine.revoke(user, scopes: scopes, waiter: waiter, for: peer, now: now))
    }

    /// Drops a user's tokens.
    package func evict(_ user: UserKey, scopes: ScopeSet?, now: Instant) -> Reply {
        perform(machine.evict(user, scopes: scopes, now: now))
        return .evicted
    }

    /// Drops all tokens, of one tenant or of all.
    ///
    /// - Returns: How many.
    package func flush(tenant: TenantID?, now: Instant) -> Int { perform(machine.flush(tenant: tenant, now: now)) }

    /// A page of the cache's content.
    package func entries(_ request: EntriesRequest, of tenant: TenantID?, now: Instant) -> Reply {
        machine.entries(request, of: tenant, now: now).map(Reply.entries)
            ?? .error(ErrorReply(.invalidRequest, "'after' must be a cursor that an earlier page ended with"))
    }

    /// Whether tenants are reachable and take the client.
    package func health(now: Instant) -> HealthReply { machine.health(now: now, wall: Date()) }

    /// Why the next answer for a key would be what it is.
    package func explain(_ key: TokenKey, for peer: PeerUID, now: Instant) -> Reply {
        .explained(machine.explain(key, for: peer, now: now))
    }

    /// Counters, gauges and quantiles, as far as the cache knows them.
    package func stats(now: Instant) -> StatsReply { machine.stats(now: now) }

    /// Notes how long so many hits took that were answered together.
    package func recordHits(_ count: Int, _ latency: Duration) { machine.recordHits(count, latency) }

    /// Some who waited are gone.
    package func leave(_ waiters: [Waiter]) { perform(machine.leave(waiters, now: dependencies.now())) }

    // MARK: Events from outside

    /// The time is come that was asked for.
    package func timePassed() { perform(machine.timePassed(now: dependencies.now())) }

    /// A client's secret has changed.
    package func secretChanged(of tenant: TenantID) {
        perform(machine.secretChanged(of: tenant, now: dependencies.now()))
    }

    /// Takes over another configuration.
    package func reconfigure(policy: CachePolicy, tenants: [TenantID: TenantPolicy]) {
        perform(machine.reconfigure(policy: policy, tenants: tenants, now: dependencies.now()))
    }

    // MARK: The next daemon

    /// Takes over what an earlier daemon has persisted, and persists what comes in the same store.
    ///
    /// - Returns: How many tokens are cached now that weren't.
    package func restore(from store: sending any TokenStore) -> Int {
        let now = dependencies.now()
        var restored = 0
        store.restore { recordID, token in
            let isTaken = machine.restore(token, recordID: recordID, now: now)
            if isTaken { restored += 1 }
            return isTaken
        }
        tokenStore = store
        perform(machine.beginPersisting(now: now))
        return restored
    }

    /// Persists nothing any more.
    package func endPersisting() {
        tokenStore?.end()
        tokenStore = nil
        machine.endPersisting()
    }

    /// Tells the next daemon which users were seen since their tokens came.
    package func persistUses() { perform(machine.persistUses(now: dependencies.now())) }

    /// What is persisted is in safety.
    package func stored(_ generation: UInt64) {
        if tokenStore?.stored(generation) == true { perform(machine.persistenceHasRoom(now: dependencies.now())) }
    }

    private func persist(_ change: PersistenceChange) {
        guard let tokenStore else { return }
        switch change {
        case .store(let reference):
            guard let token = machine.persisted(reference) else { return }
            machine.persisted(reference, as: tokenStore.persist(token))
        case .remove(_, let recordID): tokenStore.remove(recordID)
        case .use(let recordID, let time): tokenStore.note(recordID, lastAsked: time)
        }
    }

    // MARK: Calls

    /// Makes the calls that the cache orders, until ``stop()``; calls that are under way then are cancelled.
    package nonisolated func run(_ tenants: some TenantCalling) async {
        await withDiscardingTaskGroup { group in
            for await order in orders {
                group.addTask { await self.make(order, tenants) }
            }
            group.cancelAll()
        }
        await end()
    }

    /// Ends ``run(_:)``; what is ordered from now on is not done.
    package nonisolated func stop() { ordering.finish() }

    private nonisolated func make(_ order: CallOrder, _ tenants: some TenantCalling) async {
        switch order {
        case .mint(let call, let key): await ended(call, tenants.mint(key))
        case .revoke(let call, let tenant, let token): await revoked(call, tenants.revoke(token, tenant: tenant))
        }
    }

    private func ended(_ call: CallID, _ result: MintResult) {
        perform(machine.ended(call, result, now: dependencies.now(), wall: Date()))
    }

    private func revoked(_ call: CallID, _ result: RevocationResult) {
        perform(machine.revocationEnded(call, result, now: dependencies.now()))
    }

    /// No calls are made any more: what was still to be revoked is told to the audit trail.
    private func end() { perform(machine.shutDown(now: dependencies.now())) }

    // MARK: Performing

    private func perform<Answer>(_ outcome: Outcome<Answer>) -> Answer {
        perform(outcome.actions)
        return outcome.answer
    }

    /// Does all that an event has to have done.
    private func perform(_ actions: CacheActions) {
        for call in actions.calls { ordering.yield(call) }
        dependencies.wake(actions.wake)
        // Before anyone hears of a token, so that a crash in between can't cost a mint; and a token before the one that it
        // replaces is dropped: a daemon that is killed in between leaves two, of which the next one takes the later.
        for change in actions.changes where change.isStore { persist(change) }
        for change in actions.changes where !change.isStore { persist(change) }
        for notice in actions.notices { dependencies.notify(notice) }
        for record in actions.records { dependencies.audit(record) }
        for delivery in actions.deliveries { dependencies.deliver(delivery) }
    }
}
