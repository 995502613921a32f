package import TokenCache
package import TokenProtocol

/// Answers requests: finds the key that one means, asks the cache, counts.
///
/// It lives on the cache's event loop and is called there only, so that a hit is one synchronous call.
package final class RequestDispatcher: RequestHandler {
    /// What the dispatcher shows but doesn't know itself.
    package struct Surroundings {
        /// The daemon's version.
        package var version: String
        /// The clock that goes on in suspend.
        package var now: @Sendable () -> Instant
        /// Has the configuration read again; the answer is delivered to the one who asked.
        package var reload: (Waiter) -> Void
        /// The server's connections.
        package var connections: () -> StatsReply.Connections

        /// Names them.
        package init(
            version: String,
            now: @escaping @Sendable () -> Instant,
            reload: @escaping (Waiter) -> Void,
            connections: @escaping () -> StatsReply.Connections
        ) {
            self.version = version
            self.now = now
            self.reload = reload
            self.connections = connections
        }
    }

    /// Which tenants there are; a reload puts another in its place.
    package var directory: TenantDirectory

    private let cache: TokenCache
    private let surroundings: Surroundings
    private let started: Instant
    private var counters = RequestCounters()
    /// The time of the batch that is being answered: one look at the clock serves them all.
    private var now: Instant
    /// How many hits it has had so far.
    private var hits = 0
    /// The batches of this round of the event loop that had hits: when each began, and how many.
    private var answered: [(began: Instant, hits: Int)] = []

    /// Answers from a cache.
    package init(cache: TokenCache, directory: TenantDirectory, surroundings: Surroundings) {
        self.cache = cache
        self.directory = directory
        self.surroundings = surroundings
        started = surroundings.now()
        now = started
    }

    package func batchBegan() {
        now = surroundings.now()
        hits = 0
    }

    package func withHits(_ body: (HitLookup) -> Void) {
        let (now, tenants) = (now, directory.plain)
        var hits = 0
        defer {
            self.hits += hits
            counters.count(.token, times: hits)
        }
        // `nonisolated(unsafe)`, because the compiler can't know that the cache's isolation is this very event loop, and
        // sound: `assumeIsolated` has checked it, so nothing runs beside `body`, and `body` isn't kept beyond the call.
        nonisolated(unsafe) let body = body
        cache.assumeIsolated { cache in
            unsafe body { field, user, tenant, scope, minTTL in
                guard let target = tenants.find(tenant, scope),
                    let reply = cache.hit(target.name, field, user, target.scopes, minTTL: minTTL, now: now)
                else { return nil }
                hits += 1
                return reply
            }
        }
    }

    package func batchEnded() {
        if hits > 0 { answered.append((now, hits)) }
    }

    package func roundEnded() {
        guard !answered.isEmpty else { return }
        let (now, answered) = (surroundings.now(), answered)
        cache.assumeIsolated { cache in
            for batch in answered { cache.recordHits(batch.hits, now - batch.began) }
        }
        self.answered.removeAll(keepingCapacity: true)
    }

    package func handle(_ request: Request, from client: Client, waiter: Waiter) -> Reply? {
        counters.count(request.operation.name)
        let reply: Reply?
        do throws(ErrorReply) {
            reply = try answer(request.operation, from: client, waiter: waiter)
        } catch {
            reply = .error(error)
        }
        switch reply {
        case .error(let error): counters.count(error.code)
        case .token: hits += 1
        default: break
        }
        return reply
    }

    package func leave(_ waiters: [Waiter]) {
        cache.assumeIsolated { $0.leave(waiters) }
    }

    package func answeredWithoutHandler(_ code: ErrorReply.Code) { counters.count(code) }

    /// Counts a reply that came later.
    package func delivered(_ reply: Reply) {
        if case .error(let error) = reply { counters.count(error.code) }
    }

    private func answer(_ operation: Operation, from client: Client, waiter: Waiter) throws(ErrorReply) -> Reply? {
        let (now, uid) = (now, client.peer.uid)
        switch operation {
        case .token(let request):
            let key = try directory.key(for: request.key)
            let wish = CacheStateMachine.Wish(
                minTTL: request.minTTL,
                timeout: request.timeout,
                noCache: request.noCache,
                peer: uid
            )
            return cache.assumeIsolated { $0.token(key, wish, waiter: waiter, now: now) }
        case .prefetch(let request):
            let keys = try directory.keys(for: request)
            return cache.assumeIsolated { $0.prefetch(keys, for: uid, now: now) }
        case .invalidate(let request):
            let key = try directory.key(for: request.key)
            return cache.assumeIsolated { $0.invalidate(key, request.fingerprint, now: now) }
        case .revoke(let request):
            let user = try directory.user(for: request)
            let scopes = try directory.scopes(for: request)
            return cache.assumeIsolated { $0.revoke(user, scopes: scopes, waiter: waiter, for: uid, now: now) }
        case .hello: return .hello(hello(on: client.socket))
        case .stats, .entries, .evict, .flush, .reload, .health, .explain:
            return try administer(operation, from: client, waiter: waiter)
        }
    }

    private func administer(
        _ operation: Operation,
        from client: Client,
        waiter: Waiter
    ) throws(ErrorReply) -> Reply? {
        let (now, uid) = (now, client.peer.uid)
        switch operation {
        case .stats: return .stats(stats())
        case .entries(var request):
            request.tenant = try directory.name(request.tenant)
            let page = request
            return cache.assumeIsolated { $0.entries(page, now: now) }
        case .evict(let request):
            let user = try directory.user(for: request)
            return cache.assumeIsolated { $0.evict(user, scopes: request.scopes, now: now) }
        case .flush(let tenant):
            let tenant = try directory.name(tenant)
            return cache.assumeIsolated { $0.flush(tenant: tenant, now: now) }
        case .reload:
            surroundings.reload(waiter)
            return nil
        case .health: return cache.assumeIsolated { $0.health(now: now) }
        case .explain(let request):
            let key = try directory.key(for: request)
            return cache.assumeIsolated { $0.explain(key, for: uid, now: now) }
        case .token, .prefetch, .invalidate, .revoke, .hello: return nil
        }
    }

    private func hello(on socket: SocketKind) -> HelloReply {
        HelloReply(
            version: surroundings.version,
            operations: OperationName.allCases.filter { socket == .admin || $0.isForApps },
            tenants: directory.names
        )
    }

    private func stats() -> StatsReply {
        let now = now
        var stats = cache.assumeIsolated { $0.stats(now: now) }
        stats.uptime = (now - started).inSeconds
        stats.version = surroundings.version
        stats.connections = surroundings.connections()
        counters.fill(&stats)
        return stats
    }
}
