package import OperatorReplies
package import TokenCache
package import TokenProtocol

/// Passes requests from connections to the cache: unpacks a request, has it authorized, calls the cache, and packs the
/// reply.
///
/// It decides nothing: a ``Gatekeeper`` says what a client may do, the cache what a request gets. It lives on the
/// cache's event loop and is called only there, so that a hit is one synchronous call.
package final class RequestDispatcher: RequestHandler {
    private let cache: TokenCache
    private let dependencies: Dependencies
    private let started: Instant
    private var gatekeeper: Gatekeeper
    private var counters = RequestCounters()
    /// The time of the batch that is being answered.
    ///
    /// The clock is read once for all of its requests.
    private var now: Instant
    /// The hits of that batch so far.
    private var hits = 0
    /// The batches of this round of the event loop that had hits, with the time when each began.
    private var answered: [(began: Instant, hits: Int)] = []
    /// An empty list with the memory of earlier batches.
    private var spare: [(began: Instant, hits: Int)] = []

    /// Creates a dispatcher for a cache.
    package init(cache: TokenCache, access: AccessPolicy, dependencies: Dependencies) {
        self.cache = cache
        gatekeeper = Gatekeeper(access, askForNames: dependencies.askForNames)
        self.dependencies = dependencies
        started = dependencies.now()
        now = started
    }

    /// The failed checks of the daemon itself, by name, for `health`.
    package var checks: [String: HealthReply.Check] = [:]

    /// The access policy.
    ///
    /// Another one is in force from the next request on, also on open connections.
    package var access: AccessPolicy {
        get { gatekeeper.policy }
        set { gatekeeper = Gatekeeper(newValue, askForNames: dependencies.askForNames) }
    }

    // MARK: Batches and hits

    package func batchBegan() {
        now = dependencies.now()
        hits = 0
    }

    package func withHits(for client: Client, _ body: (HitLookup) -> Void) {
        guard let clientPermissions = gatekeeper.authorization(of: client).permissions else {
            return body { _, _, _, _, _, _, _ in false }
        }
        let (now, uid) = (now, client.peer.uid)
        var hits = 0
        defer {
            self.hits += hits
            if hits > 0 { counters.count(hits: hits, from: client) }
        }
        // `nonisolated(unsafe)`, because the compiler can't know that the caller is in the cache's isolation already. It is
        // sound: `onOwnThread` traps unless it is. So nothing runs beside `body`, and neither value is kept beyond the call.
        nonisolated(unsafe) let (body, permissions) = (body, clientPermissions)
        cache.onOwnThread { cache in
            unsafe body { field, user, tenant, scope, minTTL, id, output in
                guard let target = unsafe permissions.find(field, user, tenant, scope) else { return false }
                let isHit = cache.answerHit(
                    target.tenant,
                    field,
                    user,
                    target.scopes,
                    minTTL: minTTL,
                    for: uid,
                    now: now,
                    id: id,
                    into: &output
                )
                hits += isHit ? 1 : 0
                return isHit
            }
        }
    }

    package func batchEnded() {
        if hits > 0 { answered.append((now, hits)) }
    }

    package func roundEnded() {
        guard !answered.isEmpty else { return }
        let now = dependencies.now()
        // Two lists take turns, so that neither is allocated anew.
        var batches = exchange(&answered, with: exchange(&spare, with: []))
        cache.onOwnThread { [batches] cache in
            for batch in batches { cache.recordHits(batch.hits, now - batch.began) }
        }
        batches.removeAll(keepingCapacity: true)
        spare = batches
    }

    // MARK: Requests

    package func handle(_ request: Request, from client: Client, waiter: Waiter) -> Reply? {
        counters.began(request.operation.name, from: client)
        let reply: Reply?
        do throws(AuthorizationError) {
            let operation = try gatekeeper.authorize(request.operation, for: client)
            reply = perform(operation, for: client.peer, in: request.trace, waiter: waiter)
        } catch {
            if let record = error.record { dependencies.audit(record) }
            reply = .error(error.reply)
        }
        if let reply { counters.ended(request.operation.name, RequestOutcome(reply)) }
        if case .token = reply { hits += 1 }
        return reply
    }

    package func cancel(_ waiters: [Waiter]) {
        cache.assumeIsolated { $0.cancelWaits(of: waiters) }
    }

    package func ended(_ operation: OperationName, _ outcome: RequestOutcome) { counters.ended(operation, outcome) }

    package func rejected(_ operation: OperationName?, _ code: ErrorReply.Code, from client: Client) {
        counters.rejected(operation, code, from: client)
    }

    package func sentError(_ code: ErrorReply.Code) { counters.countUnsolicited(code) }

    private func perform(
        _ operation: AuthorizedOperation,
        for peer: Peer,
        in trace: TraceContext?,
        waiter: Waiter
    ) -> Reply? {
        let now = now
        switch operation {
        case .token(let key, let request):
            let options = RequestOptions(
                minTTL: request.minTTL,
                timeout: request.timeout,
                noCache: request.noCache,
                refused: request.refused,
                peer: peer,
                trace: trace
            )
            return cache.assumeIsolated { $0.token(key, options, waiter: waiter, now: now) }
        case .prefetch(let keys): return cache.assumeIsolated { $0.prefetch(keys, for: peer, in: trace, now: now) }
        case .invalidate(let key, let fingerprint):
            return cache.assumeIsolated { $0.invalidate(key, fingerprint, now: now) }
        case .revoke(let user, let scopes, let everywhere):
            return cache.assumeIsolated {
                $0.revoke(
                    user,
                    scopes: scopes,
                    everywhere: everywhere,
                    waiter: waiter,
                    for: peer,
                    in: trace,
                    now: now
                )
            }
        case .provision(let user, let request):
            return cache.assumeIsolated {
                $0.provision(user, request, waiter: waiter, for: peer, in: trace, now: now)
            }
        case .hello(let operations, let tenants, let clients):
            let version = dependencies.version
            return .hello(
                HelloReply(
                    version: version,
                    operations: operations,
                    tenants: tenants,
                    clients: clients,
                    fleet: fleet?.summary
                )
            )
        case .administer(let operation): return administer(operation, for: peer, waiter: waiter)
        }
    }

    private func administer(
        _ operation: AuthorizedOperation.Administration,
        for peer: Peer,
        waiter: Waiter
    ) -> Reply? {
        let now = now
        switch operation {
        case .stats: return .stats(stats())
        case .entries(let request, let tenant):
            return cache.assumeIsolated { $0.entries(request, of: tenant, now: now) }
        case .evict(let user, let scopes):
            dependencies.audit(AuditRecord(peer, .evict(user, scopes)))
            return cache.assumeIsolated { $0.evict(user, scopes: scopes, now: now) }
        case .flush(let tenant):
            let count = cache.assumeIsolated { $0.flush(tenant: tenant, now: now) }
            dependencies.audit(AuditRecord(peer, .flush(tenant: tenant?.name, count: count)))
            return .flushed(count)
        case .reload:
            dependencies.reload(waiter, peer)
            return nil
        case .health: return .health(health(now: now))
        case .metrics: return dependencies.metrics(waiter) ? nil : .error(.tooManyScrapes)
        case .explain(let key): return cache.assumeIsolated { $0.explain(key, for: peer.uid, now: now) }
        case .releaseHold(let tenant):
            return cache.assumeIsolated { $0.releaseHolds(of: tenant, for: peer, now: now) }
        case .logLevel(let request):
            dependencies.audit(AuditRecord(peer, .logLevel(request)))
            dependencies.setLogLevel(request)
            return .logLevel(request.level, seconds: request.duration.map { Int($0.components.seconds) })
        }
    }

    /// Returns the results of the daemon's checks, outside a batch.
    package func currentHealth() -> HealthReply { health(now: dependencies.now()) }

    private func health(now: Instant) -> HealthReply {
        let ofTenants = cache.assumeIsolated { $0.health(now: now) }
        return HealthReply(checks: ofTenants.checks + ownChecks)
    }

    /// The checks of the daemon itself.
    private var ownChecks: [HealthReply.Check] {
        checks.sorted { $0.key < $1.key }.map(\.value)
            + [gatekeeper.check, dependencies.logCheck(), fleet?.check].compactMap(\.self)
    }

    /// The state of the fleet, or nil if the daemon is in none.
    private var fleet: StatsReply.Fleet? {
        var stats = StatsReply()
        dependencies.fillFleet(&stats)
        return stats.fleet
    }

    private func stats() -> StatsReply {
        let now = now
        var stats = cache.assumeIsolated { $0.stats(now: now) }
        fill(&stats, now: now)
        return stats
    }

    private func fill(_ stats: inout StatsReply, now: Instant) {
        stats.uptime = (now - started).inSeconds
        stats.version = dependencies.version
        dependencies.fillConnections(&stats)
        dependencies.fillFleet(&stats)
        counters.fill(&stats)
    }

    /// Returns the state of the cache and of the server for metrics.
    package func snapshot() -> ServerSnapshot {
        let now = dependencies.now()
        var cache = cache.assumeIsolated { $0.snapshot(now: now) }
        fill(&cache.stats, now: now)
        return ServerSnapshot(
            cache: cache,
            answered: counters.answered,
            requestsOfOtherUsers: counters.ofOtherUsers,
            health: health(now: now).status
        )
    }
}

extension ErrorReply {
    fileprivate static var tooManyScrapes: ErrorReply {
        ErrorReply(.overloaded, "too many requests for metrics wait", retryAfter: 1)
    }
}
