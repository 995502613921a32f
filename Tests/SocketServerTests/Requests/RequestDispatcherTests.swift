import OperatorReplies
import Reactor
import SocketServer
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("The dispatcher")
struct RequestDispatcherTests {
    private static let key = KeyRequest(user: UserLookup(field: .subject, value: "ann"))
    private static let token = Operation.token(TokenRequest(key: key))

    /// The calls of a dispatcher to the rest of the daemon.
    private final class Calls {
        var records: [AuditRecord.Act] = []
        var reloads: [Waiter] = []
        var scrapes: [Waiter] = []
        var fleet: StatsReply.Fleet?
    }

    /// Runs a test's body on a reactor, within the test's own task, which its expectations belong to.
    private actor Runner {
        private nonisolated let reactor: Reactor

        init(_ reactor: Reactor) { self.reactor = reactor }

        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe reactor.asUnownedSerialExecutor() }

        func run(_ body: @Sendable () -> Void) { body() }
    }

    /// A dispatcher on a reactor, for one tenant, with root as its administrator.
    private struct Fixture {
        let dispatcher: RequestDispatcher
        let calls = Calls()
        let admin = Client(socket: .admin, peer: Peer(uid: 0, gid: 0))
        let app = Client(socket: .requests, peer: Peer(uid: 33, gid: 33))
        let waiter = Waiter(connection: 1, ticket: 2)

        init(on reactor: Reactor, rules: [AccessRule]) {
            let policy = TenantPolicy(identity: .init(host: "https://tenant", clientID: "client"))
            let cache = TokenCache(
                on: reactor,
                policy: CachePolicy(),
                tenants: ["main": policy],
                memory: .anonymous(),
                dependencies: .init(wake: { _ in }, deliver: { _ in }, notify: { _ in }, audit: { _ in })
            )
            let scopes = (["main": "a"] as [TenantID: String]).compactMapValues { ScopeSet($0) }
            let directory = TenantDirectory(scopes: scopes, defaultTenant: "main")
            dispatcher = RequestDispatcher(
                cache: cache,
                access: AccessPolicy(directory: directory, rules: rules, administrators: PeerSet(users: [0])),
                dependencies: .init(
                    version: "1.2.3",
                    now: { ContinuousClock.now },
                    reload: { [calls] waiter, _ in calls.reloads.append(waiter) },
                    metrics: { [calls] waiter in
                        calls.scrapes.append(waiter)
                        return calls.scrapes.count < 2
                    },
                    audit: { [calls] in calls.records.append($0.act) },
                    fillConnections: { $0.connections.open = 7 },
                    fillFleet: { [calls] in $0.fleet = calls.fleet }
                )
            )
        }

        func handle(_ operation: Operation, from client: Client) -> Reply? {
            dispatcher.batchBegan()
            defer { dispatcher.batchEnded() }
            return dispatcher.handle(Request(operation: operation), from: client, waiter: waiter)
        }

        var stats: StatsReply? {
            guard case .stats(let stats)? = handle(.stats, from: admin) else { return nil }
            return stats
        }
    }

    private func onReactor(
        rules: [AccessRule] = [.withoutRules],
        _ body: @Sendable (Fixture) -> Void
    ) async throws {
        let reactor = try Reactor.start(named: "test")
        defer { reactor.stop() }
        await Runner(reactor).run { body(Fixture(on: reactor, rules: rules)) }
    }

    @Test("A forbidden request gets its error, which is recorded and counted.")
    func forbidden() async throws {
        try await onReactor(rules: []) { fixture in
            let error = ErrorReply(.forbidden, "this peer may not use this operation")
            #expect(fixture.handle(Self.token, from: fixture.app) == .error(error))
            guard case .forbidden(let request)? = fixture.calls.records.first, fixture.calls.records.count == 1 else {
                return #expect(Bool(false), "there is one record")
            }
            #expect(request.operation == .token && request.reason == error.description)
            #expect(fixture.stats?.requests.errors["forbidden"] == 1)
            #expect(fixture.stats?.requests.byOperation["token"] == 1)
        }
    }

    @Test("A request that names an unknown tenant gets an error, which is counted but not recorded.")
    func unknownTenant() async throws {
        try await onReactor { fixture in
            let reply = fixture.handle(.flush(tenant: "none"), from: fixture.admin)
            #expect(reply == .error(ErrorReply(.unknownTenant, "no tenant of that name is configured")))
            #expect(fixture.calls.records.isEmpty)
            #expect(fixture.stats?.requests.errors["unknown_tenant"] == 1)
        }
    }

    @Test("A request for a token that has to be minted waits, and can be cancelled.")
    func waits() async throws {
        try await onReactor { fixture in
            #expect(fixture.handle(Self.token, from: fixture.app) == nil)
            #expect(fixture.stats?.uids[33]?.waiting == 1)
            fixture.dispatcher.cancel([fixture.waiter])
            #expect(fixture.stats?.uids[33]?.waiting ?? 0 == 0)
        }
    }

    @Test("What administrators change is recorded, and a reload is answered later.")
    func administration() async throws {
        try await onReactor { fixture in
            #expect(fixture.handle(.flush(tenant: "main"), from: fixture.admin) == .flushed(0))
            #expect(fixture.handle(.evict(Self.key), from: fixture.admin) == .evicted)
            let user = UserKey(tenant: "main", user: Self.key.user)
            #expect(fixture.calls.records == [.flush(tenant: "main", count: 0), .evict(user, nil)])
            #expect(fixture.handle(.releaseHold(tenant: nil), from: fixture.admin) == .holdsReleased(0))
            let level = LogLevelRequest(level: .debug, duration: .seconds(60))
            #expect(fixture.handle(.logLevel(level), from: fixture.admin) == .logLevel(.debug, seconds: 60))
            #expect(fixture.calls.records.last == .logLevel(level))
            #expect(fixture.handle(.reload, from: fixture.admin) == nil)
            #expect(fixture.calls.reloads == [fixture.waiter])
        }
    }

    @Test("A fleet is in hello, in the statistics and in the health, and nowhere without one.")
    func fleet() async throws {
        try await onReactor { fixture in
            func parts() -> (FleetSummary?, StatsReply.Fleet?, HealthReply.Check?) {
                guard case .hello(let hello)? = fixture.handle(.hello, from: fixture.app),
                    case .health(let health)? = fixture.handle(.health, from: fixture.admin)
                else { return (nil, nil, nil) }
                return (hello.fleet, fixture.stats?.fleet, health.checks.first { $0.name == "fleet" })
            }
            #expect(parts() == (nil, nil, nil))
            var fleet = StatsReply.Fleet()
            (fleet.machines, fleet.since, fleet.tenantsAway) = (3, "then", 1)
            fixture.calls.fleet = fleet
            #expect(parts().0 == FleetSummary(isConnected: false, since: "then", machines: 3))
            #expect(parts().1 == fleet && parts().2?.status == .degraded && parts().2?.since == "then")
        }
    }

    @Test("hello and the statistics have what the dispatcher is given.")
    func given() async throws {
        try await onReactor { fixture in
            guard case .hello(let hello)? = fixture.handle(.hello, from: fixture.app) else {
                return #expect(Bool(false), "hello is answered")
            }
            #expect(hello.version == "1.2.3")
            #expect(hello.operations == [.token, .prefetch, .invalidate, .revoke, .hello])
            #expect(fixture.stats?.version == "1.2.3")
            #expect(fixture.stats?.connections.open == 7)
            fixture.dispatcher.checks["socket"] = .init(
                name: "socket",
                tenant: nil,
                status: .failing,
                description: "it is gone"
            )
            guard case .health(let health)? = fixture.handle(.health, from: fixture.admin) else {
                return #expect(Bool(false), "health is answered")
            }
            #expect(health.checks.contains { $0.name == "socket" })
        }
    }

    @Test("Another policy is in force from the next request on.")
    func newPolicy() async throws {
        try await onReactor { fixture in
            #expect(fixture.handle(.revoke(Self.key), from: fixture.app) != nil)
            fixture.dispatcher.access.rules = []
            guard case .error(let error)? = fixture.handle(.revoke(Self.key), from: fixture.app) else {
                return #expect(Bool(false), "it is forbidden")
            }
            #expect(error.code == .forbidden)
        }
    }

    @Test("Errors that connections answer themselves, and those that are delivered later, are counted.")
    func counts() async throws {
        try await onReactor { fixture in
            fixture.dispatcher.rejected(nil, .invalidRequest, from: fixture.app)
            fixture.dispatcher.sentError(.overloaded)
            #expect(fixture.handle(Self.token, from: fixture.app) == nil)
            fixture.dispatcher.ended(.token, .error(.unavailable))
            #expect(
                fixture.stats?.requests.errors == ["invalid_request": 1, "unavailable": 1, "overloaded": 1]
            )
        }
    }

    @Test("Each request is counted once by operation and outcome, when it has ended, and once for its uid.")
    func outcomes() async throws {
        try await onReactor { fixture in
            #expect(fixture.handle(Self.token, from: fixture.app) == nil)
            #expect(fixture.dispatcher.snapshot().answered[.init(.token, .minted)] == nil)
            #expect(fixture.stats?.requests.byOperation["token"] == 1)
            fixture.dispatcher.ended(.token, .minted)
            fixture.dispatcher.rejected(.token, .shuttingDown, from: fixture.app)
            fixture.dispatcher.rejected(nil, .invalidRequest, from: fixture.app)
            fixture.dispatcher.sentError(.overloaded)
            let snapshot = fixture.dispatcher.snapshot()
            #expect(
                snapshot.answered.filter { $0.value > 0 } == [
                    .init(.token, .minted): 1, .init(.token, .error(.shuttingDown)): 1,
                    .init(nil, .error(.invalidRequest)): 1, .init(.stats, .ok): 1,
                ]
            )
            #expect(snapshot.stats.requests.byOperation["token"] == 2)
            #expect(snapshot.stats.uids[33]?.requests == 3)
            #expect(snapshot.stats.uids[0]?.requests == 1)
        }
    }

    @Test("Requests are counted for a number of uids. Those of further uids are counted together.")
    func boundedUIDs() async throws {
        try await onReactor { fixture in
            for uid in 1..<1_100 {
                let client = Client(socket: .requests, peer: Peer(uid: UInt32(uid), gid: 1))
                _ = fixture.handle(.hello, from: client)
            }
            let snapshot = fixture.dispatcher.snapshot()
            #expect(snapshot.stats.uids.count == 1_024)
            #expect(snapshot.requestsOfOtherUsers == 75)
        }
    }

    @Test("Metrics are delivered later, unless too many requests wait for them.")
    func metrics() async throws {
        try await onReactor { fixture in
            #expect(fixture.handle(.metrics, from: fixture.admin) == nil)
            #expect(fixture.calls.scrapes == [fixture.waiter])
            guard case .error(let error)? = fixture.handle(.metrics, from: fixture.admin) else {
                return #expect(Bool(false), "the second one is rejected")
            }
            #expect(error.code == .overloaded && error.retryAfter == 1)
        }
    }
}
