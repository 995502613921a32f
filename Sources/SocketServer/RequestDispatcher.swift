package import OperatorReplies
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
        package var reload: (Waiter, Peer) -> Void
        /// Keeps a record in the audit trail; it must not wait.
        package var audit: (AuditRecord) -> Void
        /// Has the names of a peer's user and groups looked up; another policy follows if there are some.
        package var askForNames: (Peer) -> Void
        /// Adds what the server knows of its connections.
        package var fillConnections: (inout StatsReply) -> Void

        /// Names them.
        package init(
            version: String,
            now: @escaping @Sendable () -> Instant,
            reload: @escaping (Waiter, Peer) -> Void,
            audit: @escaping (AuditRecord) -> Void,
            askForNames: @escaping (Peer) -> Void = { _ in },
            fillConnections: @escaping (inout StatsReply) -> Void
        ) {
            self.version = version
            self.now = now
            self.reload = reload
            self.audit = audit
            self.askForNames = askForNames
            self.fillConnections = fillConnections
        }
    }

    private let cache: TokenCache
    private let surroundings: Surroundings
    private let started: Instant
    private var gatekeeper: Gatekeeper
    private var counters = RequestCounters()
    /// The time of the batch that is being answered: one look at the clock serves them all.
    private var now: Instant
    /// How many hits it has had so far.
    private var hits = 0
    /// The batches of this round of the event loop that had hits: when each began, and how many.
    private var answered: [(began: Instant, hits: Int)] = []

    /// Answers from a cache.
    package init(cache: TokenCache, access: AccessPolicy, surroundings: Surroundings) {
        self.cache = cache
        gatekeeper = Gatekeeper(access, askForNames: surroundings.askForNames)
        self.surroundings = surroundings
        started = surroundings.now()
        now = started
    }

    /// The failed checks of the daemon itself, by name; `health` tells them.
    package var checks: [String: HealthReply.Check] = [:]

    /// Who may do what; another policy holds from the next request on, also on connections that are open.
    package var access: AccessPolicy {
        get { gatekeeper.policy }
        set { gatekeeper = Gatekeeper(newValue, askForNames: surroundings.askForNames) }
    }

    package func batchBegan() {
        now = surroundings.now()
        hits = 0
    }

    package func withHits(for client: Client, _ body: (HitLookup) -> Void) {
        let standing = gatekeeper.standing(of: client)
        guard client.socket == .requests || standing.isAdministrator else { return body { _, _, _, _, _ in nil } }
        let (now, uid) = (now, client.peer.uid)
        var hits = 0
        defer {
            self.hits += hits
            counters.count(.token, times: hits)
        }
        // `nonisolated(unsafe)`, because the compiler can't know that the cache's isolation is this very event loop, and
        // sound: `assumeIsolated` has checked it, so nothing runs beside `body`, and `body` isn't kept beyond the call.
        nonisolated(unsafe) let (body, grant) = (body, standing.grant)
        cache.assumeIsolated { cache in
            unsafe body { field, user, tenant, scope, minTTL in
                guard let target = unsafe grant.find(field, user, tenant, scope),
                    let reply = cache.hit(target.tenant, field, user, target.scopes, minTTL: minTTL, for: uid, now: now)
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
            let isUndecided = error.code == .forbidden && gatekeeper.standing(of: client).isUndecided
            let error = isUndecided ? .undecidedPeer : error
            if error.code == .forbidden { record(request.operation, refusedTo: client, error.description) }
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
        let (now, peer) = (now, client.peer)
        let standing = gatekeeper.standing(of: client)
        if client.socket == .admin, !standing.isAdministrator, operation.name != .hello {
            throw ErrorReply(.forbidden, "this peer is no administrator")
        }
        let grant = standing.grant
        switch operation {
        case .token(let request):
            let key = try grant.key(for: request.key, .token)
            let options = RequestOptions(
                minTTL: request.minTTL,
                timeout: request.timeout,
                noCache: request.noCache,
                peer: peer
            )
            return cache.assumeIsolated { $0.token(key, options, waiter: waiter, now: now) }
        case .prefetch(let request):
            let keys = try grant.keys(for: request)
            return cache.assumeIsolated { $0.prefetch(keys, for: peer, now: now) }
        case .invalidate(let request):
            let key = try grant.key(for: request.key, .invalidate)
            return cache.assumeIsolated { $0.invalidate(key, request.fingerprint, now: now) }
        case .revoke(let request):
            let (user, scopes) = try grant.logout(request)
            return cache.assumeIsolated { $0.revoke(user, scopes: scopes, waiter: waiter, for: peer, now: now) }
        case .hello: return .hello(hello(client.socket, standing))
        case .stats, .entries, .evict, .flush, .reload, .health, .explain:
            return try administer(operation, from: client, waiter: waiter)
        }
    }

    private func administer(
        _ operation: Operation,
        from client: Client,
        waiter: Waiter
    ) throws(ErrorReply) -> Reply? {
        let (now, peer, directory) = (now, client.peer, gatekeeper.policy.directory)
        switch operation {
        case .stats: return .stats(stats())
        case .entries(let request):
            let tenant = try request.tenant.map { name throws(ErrorReply) in try directory.tenant(name) }
            return cache.assumeIsolated { $0.entries(request, of: tenant, now: now) }
        case .evict(let request):
            let user = UserKey(tenant: try directory.tenant(request.tenant), user: request.user)
            surroundings.audit(AuditRecord(peer, .evict(user, request.scopes)))
            return cache.assumeIsolated { $0.evict(user, scopes: request.scopes, now: now) }
        case .flush(let asked):
            let tenant = try asked.map { name throws(ErrorReply) in try directory.tenant(name) }
            let count = cache.assumeIsolated { $0.flush(tenant: tenant, now: now) }
            surroundings.audit(AuditRecord(peer, .flush(tenant: tenant?.name, count: count)))
            return .flushed(count)
        case .reload:
            surroundings.reload(waiter, peer)
            return nil
        case .health: return .health(health())
        case .explain(let request):
            let key = try directory.key(for: request)
            return cache.assumeIsolated { $0.explain(key, for: peer.uid, now: now) }
        case .token, .prefetch, .invalidate, .revoke, .hello: return nil
        }
    }

    private func hello(_ socket: SocketKind, _ standing: Gatekeeper.Standing) -> HelloReply {
        let isAdministered = socket == .admin && standing.isAdministrator
        let granted = socket == .requests || isAdministered ? standing.grant.operations : []
        return HelloReply(
            version: surroundings.version,
            operations: OperationName.allCases.filter { operation in
                operation == .hello || granted.contains(operation) || isAdministered && !operation.isForApps
            },
            tenants: isAdministered ? gatekeeper.policy.directory.names : granted.isEmpty ? [] : standing.grant.tenants
        )
    }

    private func record(_ operation: Operation, refusedTo client: Client, _ reason: String) {
        let grant = gatekeeper.standing(of: client).grant
        let refusal: AuditRecord.Refusal =
            switch operation {
            case .token(let request): .init(.token, reason, request.key)
            case .invalidate(let request): .init(.invalidate, reason, request.key)
            case .revoke(let request): .init(.revoke, reason, request)
            case .evict(let request): .init(.evict, reason, request)
            case .explain(let request): .init(.explain, reason, request)
            case .prefetch(let request):
                .init(
                    .prefetch,
                    reason: reason,
                    tenant: request.tenant,
                    user: grant.firstForbidden(of: request.users),
                    scopes: request.scopes
                )
            case .flush(let tenant): .init(.flush, reason: reason, tenant: tenant, user: nil, scopes: nil)
            case .entries(let request): .init(.entries, reason: reason, tenant: request.tenant, user: nil, scopes: nil)
            case .hello, .stats, .reload, .health:
                .init(operation.name, reason: reason, tenant: nil, user: nil, scopes: nil)
            }
        surroundings.audit(AuditRecord(client.peer, .refusal(refusal)))
    }

    private func health() -> HealthReply {
        let now = now
        let ofTenants = cache.assumeIsolated { $0.health(now: now) }
        let own = checks.sorted { $0.key < $1.key }.map(\.value) + [gatekeeper.doubts].compactMap(\.self)
        return HealthReply(checks: ofTenants.checks + own)
    }

    private func stats() -> StatsReply {
        let now = now
        var stats = cache.assumeIsolated { $0.stats(now: now) }
        stats.uptime = (now - started).inSeconds
        stats.version = surroundings.version
        surroundings.fillConnections(&stats)
        counters.fill(&stats)
        return stats
    }
}

extension ErrorReply {
    fileprivate static var undecidedPeer: ErrorReply {
        ErrorReply(.forbidden, "it isn't known now whether an access rule means this peer; 'health' says which rule")
    }
}

extension AuditRecord.Refusal {
    fileprivate init(_ operation: OperationName, _ reason: String, _ request: KeyRequest) {
        self.init(operation, reason: reason, tenant: request.tenant, user: request.user, scopes: request.scopes)
    }
}
