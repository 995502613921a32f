package import OperatorReplies
package import Secrets
package import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// TokenCache: caches tokens, decides when they are minted, and answers requests.
//
// Purpose: the tenant is slow, limits the number of calls and issues tokens that live for hours. This module caches the
// tokens, mints each key with one call no matter how many requests wait for it, refreshes tokens in use ahead of time,
// and paces the calls.
//
// Promises: nothing is served within its safety margin, a failure never replaces a valid token, and a token that was
// requested before an invalidation is never cached after it.
//
// Parts: ``CacheStateMachine``, a value that makes all decisions and is told the time, and ``TokenCache``, an actor
// that performs its actions. The state machine's parts are in the subdirectories, its events in `Events`.

/// The cache of users' access tokens.
///
/// The actor runs on the executor that it is given: the reactor that serves the connections. There a request is a
/// synchronous call, by ``CacheHits`` for a hit and by `assumeIsolated` for the others. The actor decides nothing. It
/// feeds ``CacheStateMachine`` and performs its actions. Calls to tenants are made by ``run(_:)``, which lives as long as
/// the daemon.
package actor TokenCache {
    /// The state machine, in memory that ``CacheHits`` shares.
    final class Core {
        var machine: CacheStateMachine

        init(_ machine: consuming CacheStateMachine) { self.machine = machine }
    }

    nonisolated let executor: any SerialExecutor
    private let dependencies: Dependencies
    private let orders: AsyncStream<CallOrder>
    private let ordering: AsyncStream<CallOrder>.Continuation
    // `nonisolated(unsafe)`, because ``CacheHits`` takes it outside the actor. It is sound: the reference never changes, and
    // what it refers to is used by this actor, which runs on its executor's thread, and by ``CacheHits``, whose owner uses it on
    // that thread only, which it checks in each turn. Neither keeps an access open while it calls the other.
    nonisolated(unsafe) let coreOfHits: Core
    private let core: Core
    private var machine: CacheStateMachine {
        _read { yield core.machine }
        _modify { yield &core.machine }
    }

    /// The actor's executor.
    ///
    /// It is computed, as an unowned reference must not outlive the executor.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// Creates an empty cache.
    package init(
        on executor: any SerialExecutor,
        policy: CachePolicy,
        tenants: [TenantID: TenantPolicy],
        memory: sending CacheMemory,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        dependencies: Dependencies
    ) {
        self.executor = executor
        self.dependencies = dependencies
        (orders, ordering) = AsyncStream.makeStream()
        let core = Core(
            CacheStateMachine(
                policy: policy,
                tenants: tenants,
                memory: memory,
                random: random,
                now: dependencies.now()
            )
        )
        unsafe coreOfHits = core
        self.core = core
    }

    // MARK: Requests

    /// Requests a token and returns the reply, or nil if it comes later.
    package func token(_ key: TokenKey, _ options: RequestOptions, waiter: Waiter, now: Instant) -> Reply? {
        switch perform(machine.request(key, options, waiter: waiter, now: now)) {
        case .serve(let reply), .serveAndRefresh(let reply): .token(reply)
        case .wait: nil
        case .fail(let error): .error(error)
        }
    }

    /// Queues mints before any request waits for them.
    package func prefetch(
        _ keys: some Sequence<TokenKey>,
        for peer: Peer,
        in trace: TraceContext? = nil,
        now: Instant
    ) -> Reply {
        let count = perform(machine.prefetch(keys, for: peer, in: trace, now: now))
        return .prefetch(queued: count.queued, cached: count.cached, refused: count.refused)
    }

    /// Drops a token that an API has rejected.
    package func invalidate(_ key: TokenKey, _ fingerprint: Fingerprint, now: Instant) -> Reply {
        switch perform(machine.invalidate(key, fingerprint, now: now)) {
        case .dropped: .invalidated(true, retryAfter: nil)
        case .unknown: .invalidated(false, retryAfter: nil)
        case .tooYoung(let retryAfter): .invalidated(false, retryAfter: retryAfter)
        }
    }

    /// Makes sure that a user exists at the tenant and is in the right groups.
    ///
    /// Returns the reply, or nil if it comes later.
    package func provision(
        _ user: UserKey,
        _ request: ProvisionRequest,
        waiter: Waiter,
        for peer: Peer,
        in trace: TraceContext? = nil,
        now: Instant
    ) -> Reply? {
        perform(machine.provision(user, request, waiter: waiter, for: peer, in: trace, now: now))
    }

    /// Drops a user's tokens and revokes them at the tenant.
    ///
    /// Returns the reply, or nil if it comes later.
    ///
    /// - Parameter everywhere: True if the user's tokens that were minted elsewhere are revoked, too.
    package func revoke(
        _ user: UserKey,
        scopes: ScopeSet?,
        everywhere: Bool = false,
        waiter: Waiter,
        for peer: Peer,
        in trace: TraceContext? = nil,
        now: Instant
    ) -> Reply? {
        perform(
            machine.revoke(
                user,
                scopes: scopes,
                everywhere: everywhere,
                waiter: waiter,
                for: peer,
                in: trace,
                now: now
            )
        )
    }

    /// Drops a user's tokens.
    package func evict(_ user: UserKey, scopes: ScopeSet?, now: Instant) -> Reply {
        perform(machine.evict(user, scopes: scopes, now: now))
        return .evicted
    }

    /// Drops all tokens of one tenant or of all.
    ///
    /// - Returns: The number of dropped tokens.
    package func flush(tenant: TenantID?, now: Instant) -> Int { perform(machine.flush(tenant: tenant, now: now)) }

    /// Ends the hold of one tenant or of all.
    package func releaseHolds(of tenant: TenantID?, for peer: Peer, now: Instant) -> Reply {
        .holdsReleased(perform(machine.releaseHolds(of: tenant, for: peer, now: now)))
    }

    /// Returns a page of the cache's entries.
    package func entries(_ request: EntriesRequest, of tenant: TenantID?, now: Instant) -> Reply {
        machine.entries(request, of: tenant, now: now).map(Reply.entries)
            ?? .error(ErrorReply(.invalidRequest, "'after' must be a cursor that an earlier page ended with"))
    }

    /// Returns the state of the tenants and of their clients.
    package func health(now: Instant) -> HealthReply { machine.health(now: now, wall: Date()) }

    /// Explains the answer that the next request for a key would get.
    package func explain(_ key: TokenKey, for peer: PeerUID, now: Instant) -> Reply {
        .explained(machine.explain(key, for: peer, now: now))
    }

    /// Returns counters, gauges and quantiles, as far as the cache knows them.
    package func stats(now: Instant) -> StatsReply { machine.stats(now: now) }

    /// Returns the state for metrics.
    package func snapshot(now: Instant) -> CacheSnapshot { machine.snapshot(now: now) }

    /// Cancels the waits of requests whose connections are closed.
    package func cancelWaits(of waiters: [Waiter]) {
        perform(machine.cancelWaits(of: waiters, now: dependencies.now()))
    }

    // MARK: Events from outside

    /// Handles the timer that ``Dependencies/wake`` has set.
    package func timePassed() { perform(machine.timePassed(now: dependencies.now())) }

    /// Handles a change of a client's secret.
    package func secretChanged(of client: ClientReference) {
        perform(machine.secretChanged(of: client, now: dependencies.now()))
    }

    /// Applies another configuration.
    package func reconfigure(policy: CachePolicy, tenants: [TenantID: TenantPolicy]) {
        perform(machine.reconfigure(policy: policy, tenants: tenants, now: dependencies.now()))
    }

    /// Starts a round through the subjects of a tenant's prefetch file, in place of the present one.
    ///
    /// - Returns: True if the tenant is configured.
    package func beginPrefetchRound(of tenant: TenantID, _ subjects: [String], _ scopes: ScopeSet) -> Bool {
        perform(machine.beginPrefetchRound(of: tenant, subjects, scopes, now: dependencies.now()))
    }

    /// Ends a tenant's round, if there is one.
    package func endPrefetchRound(of tenant: TenantID) {
        perform(machine.endPrefetchRound(of: tenant, now: dependencies.now()))
    }

    /// True if a tenant's round is not over.
    package func hasPrefetchRound(of tenant: TenantID) -> Bool { machine.hasPrefetchRound(of: tenant) }

    // MARK: The fleet

    /// Begins to use the second level, or ends that if the policy is nil.
    package func setFleet(_ policy: FleetPolicy?) { perform(machine.setFleet(policy, now: dependencies.now())) }

    /// Takes the answer to a look or a payment.
    package func fleetAnswered(_ call: CallID, _ answer: FleetAnswer) {
        perform(machine.fleetAnswered(call, answer, now: dependencies.now()))
    }

    /// Takes the answer to a drop, or nil if there was none.
    package func fleetDropAnswered(_ drop: FleetDropID, _ answer: FleetDropAnswer?) {
        perform(machine.fleetDropAnswered(drop, answer, now: dependencies.now()))
    }

    /// Takes the answer to the question if this machine revokes a token that several have.
    package func revocationClaimed(_ call: CallID, _ isOurs: Bool) {
        perform(machine.revocationClaimed(call, isOurs, now: dependencies.now()))
    }

    /// Takes news of the other machines or of the connection to the second level.
    package func fleetHappened(_ event: FleetEvent) { perform(machine.fleetHappened(event, now: dependencies.now())) }

    // MARK: The next daemon

    /// Restores the tokens that the last daemon stored: the first ones at once, the others in slices between requests.
    ///
    /// Call it when the tenants are known. ``CacheNotice/restored(entries:duration:)`` follows when all are read.
    package func restore() {
        guard machine.isRestoring else { return }
        perform(machine.beginRestoring(now: dependencies.now()))
        for _ in 1..<Self.slicesAtOnce where machine.isRestoring { timePassed() }
    }

    /// The number of slices of restored tokens before anything else is done, which takes about a millisecond.
    private static let slicesAtOnce = 4

    /// Notes if the storage is kept for the next daemon, for the metrics.
    package func setKeepsTokens(_ keepsTokens: Bool) { machine.keepsTokens = keepsTokens }

    // MARK: Calls

    /// Makes the calls that the cache orders until ``stop()``, which cancels the calls under way.
    package nonisolated func run(_ tenants: some TenantCalling) async {
        await withDiscardingTaskGroup { group in
            for await order in orders {
                group.addTask { await self.make(order, tenants) }
            }
            group.cancelAll()
        }
        await end()
    }

    /// Ends ``run(_:)``.
    ///
    /// Calls that are ordered from now on are not made.
    package nonisolated func stop() { ordering.finish() }

    private nonisolated func make(_ order: CallOrder, _ tenants: some TenantCalling) async {
        switch order {
        case .mint(let call, let key, let trace): await ended(call, tenants.mint(key, in: trace))
        case .mintForClient(let call, let key, let clientID, let trace):
            await ended(call, tenants.mintForClient(key, clientID: clientID, in: trace))
        case .revoke(let call, let tenant, let token, let trace):
            await revoked(call, tenants.revoke(token, tenant: tenant, in: trace))
        case .api(let id, let tenant, let call, let bearer, let trace):
            await called(id, tenants.call(call, tenant: tenant, bearer: bearer, in: trace))
        }
    }

    private func ended(_ call: CallID, _ result: MintOutcome) {
        perform(machine.ended(call, result, now: dependencies.now(), wall: Date()))
    }

    private func called(_ call: CallID, _ outcome: APIOutcome) {
        perform(machine.apiEnded(call, outcome, now: dependencies.now()))
    }

    private func revoked(_ call: CallID, _ result: RevocationOutcome) {
        perform(machine.revocationEnded(call, result, now: dependencies.now()))
    }

    /// Ends the cache when no more calls are made.
    ///
    /// The audit trail gets the revocations that were not made.
    private func end() { perform(machine.shutDown(now: dependencies.now())) }

    // MARK: Performing

    private func perform<Answer>(_ outcome: Outcome<Answer>) -> Answer {
        perform(outcome.actions)
        return outcome.answer
    }

    /// Performs the actions of an event.
    private func perform(_ actions: CacheActions) {
        for order in actions.fleetOrders { dependencies.fleet(order) }
        for call in actions.calls { ordering.yield(call) }
        dependencies.wake(actions.wake)
        for notice in actions.notices { dependencies.notify(notice) }
        for record in actions.records { dependencies.audit(record) }
        for delivery in actions.deliveries { dependencies.deliver(delivery) }
    }
}
