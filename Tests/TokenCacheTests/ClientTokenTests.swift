import OperatorReplies
import Secrets
import Testing
import TokenCache
import TokenProtocol

@Suite("Clients' own tokens")
struct ClientTokenTests {
    private static let unauthorized = CallFailure.denied(ErrorReply.Upstream(status: 401))

    private static func key(_ name: String = "backend", _ scopes: ScopeSet = .all) -> TokenKey {
        TokenKey(user: UserKey(tenant: "main", client: name), scopes: scopes)
    }

    private static func tenant(_ clients: [String: String] = ["backend": "id-1", "jobs": "id-2"]) -> TenantPolicy {
        var policy = TenantPolicy.test()
        policy.clients = clients.mapValues { ClientPolicy(clientID: $0, scopes: nil) }
        return policy
    }

    private func cache() -> Simulation { Simulation(tenants: ["main": Self.tenant()]) }

    private func check(_ name: String, _ cache: Simulation) -> HealthReply.Check? {
        cache.machine.health(now: cache.now, wall: Simulation.wall).checks.first { $0.name == name }
    }

    @Test("A client's own token is minted with the id of its configuration, and cached like a user's.")
    func minted() throws {
        var cache = cache()
        #expect(cache.ask(Self.key()) == .wait)
        #expect(cache.ask(Self.key()) == .wait)
        let orders = cache.orders()
        guard case .mintForClient(let call, let key, "id-1", nil)? = orders.first else {
            Issue.record("\(orders)")
            return
        }
        #expect(orders.count == 1 && key == Self.key())
        #expect(cache.succeed(call, scope: "user_default").count == 2)
        #expect(cache.ask(Self.key()).served?.token.scope == "user_default")
        #expect(cache.records.last?.act.mintedKey == Self.key())
    }

    @Test("A client shares nothing with a user of the same name, with another client or with other scopes.")
    func keys() throws {
        var cache = cache()
        let scopes = try #require(ScopeSet("user_default"))
        let users = [LookupField.subject, .userID].map {
            TokenKey(tenant: "main", user: UserLookup(field: $0, value: "backend"), scopes: scopes)
        }
        let keys = users + [Self.key(), Self.key("backend", scopes), Self.key("jobs")]
        for key in keys { #expect(cache.ask(key) == .wait) }
        #expect(Set(cache.mints().map(\.key)) == Set(keys))
    }

    @Test("A client that the tenant doesn't have is an error, and nothing is minted.")
    func unknown() {
        var cache = cache()
        #expect(
            cache.ask(Self.key("nobody")).error == ErrorReply(.invalidRequest, "the tenant has no client of that name")
        )
        #expect(cache.prefetch([Self.key("nobody")]).refused == 1)
        #expect(cache.ask(Self.key("bac\u{212A}end")).error?.code == .invalidRequest)
        #expect(cache.orders().isEmpty)
    }

    @Test("Refused clients say nothing of the client that acts for users, however many they are.")
    func refusal() throws {
        var cache = Simulation(tenants: ["main": Self.tenant(["a": "1", "b": "2", "c": "3", "d": "4", "e": "5"])])
        try cache.warm(.of("ann"))
        for name in ["a", "b", "c", "d", "e"] {
            #expect(cache.ask(Self.key(name)) == .wait)
            cache.fail(try cache.onlyMint(), Self.unauthorized)
        }
        #expect(cache.takeNotices().isEmpty)
        #expect(cache.orders().isEmpty, "no probe")
        #expect(check("client", cache)?.status == .ok)
        #expect(check("clients", cache)?.status == .failing)
        #expect(cache.stats().tenants["main"]?.refusedClients == 5)
        #expect(cache.stats().tenants["main"]?.health == .failing)
        #expect(cache.ask(.of("bob")) == .wait, "users' tokens are minted")
        #expect(cache.mints().count == 1)
    }

    @Test("Health names a refused client until the tenant accepts it, and operators are told of both.")
    func health() throws {
        var cache = cache()
        #expect(check("clients", cache) == HealthReply.Check(name: "clients", tenant: "main", status: .ok))
        _ = cache.ask(Self.key())
        cache.fail(try cache.onlyMint(), Self.unauthorized)
        #expect(check("clients", cache)?.description?.contains("backend (status 401)") == true)
        #expect(cache.takeIncidents().map(\.kind) == [.furtherClient("backend")])
        #expect(cache.ask(Self.key("jobs")) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(check("clients", cache)?.status == .failing, "another client says nothing of it")
        cache.advance(.seconds(11))
        #expect(cache.ask(Self.key()) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(check("clients", cache)?.status == .ok)
        cache.advance(.seconds(61))
        #expect(cache.takeIncidents().last?.report.phase == .ended)
    }

    @Test("A denial of scopes that an app has chosen says nothing of the client. One of its own scopes does.")
    func chosenScopes() throws {
        var cache = cache()
        let scopes = try #require(ScopeSet("admin.everything"))
        let denied = CallFailure.denied(ErrorReply.Upstream(status: 400, code: "invalid_scope"))
        _ = cache.ask(Self.key("backend", scopes))
        cache.fail(try cache.onlyMint(), denied)
        #expect(check("clients", cache)?.status == .ok)
        _ = cache.ask(Self.key())
        cache.fail(try cache.onlyMint(), denied)
        #expect(check("clients", cache)?.status == .failing)
    }

    @Test("A changed secret of one client forgets the refusals of that client only.")
    func secrets() throws {
        var cache = cache()
        for key in [Self.key(), Self.key("jobs"), .of("ann")] {
            #expect(cache.ask(key) == .wait)
            cache.fail(try cache.onlyMint(), Self.unauthorized)
        }
        cache.secretChanged(client: "backend")
        #expect(cache.ask(Self.key()) == .wait)
        #expect(cache.ask(Self.key("jobs")).error?.code == .denied)
        #expect(cache.ask(.of("ann")).error?.code == .denied)
        #expect(check("clients", cache)?.description?.contains("backend") == false)
        cache.secretChanged()
        #expect(cache.ask(.of("ann")) == .wait)
        #expect(cache.ask(Self.key("jobs")).error?.code == .denied)
    }

    @Test("A mint that was denied with an old secret is retried with the new one.")
    func newSecret() throws {
        var cache = cache()
        _ = cache.ask(Self.key())
        cache.fail(try cache.onlyMint(), .denied(ErrorReply.Upstream(status: 401), secretChanged: true))
        #expect(check("clients", cache)?.status == .ok)
        #expect(cache.succeed(try cache.onlyMint()).first?.reply.token != nil)
    }

    @Test("While the tenant denies the client that acts for users, another client's refusal is no proof of that.")
    func deniedOwnClient() throws {
        var cache = cache()
        try cache.warm(.of("ann"))
        for user in 0..<3 {
            _ = cache.ask(.of("user\(user)"))
            cache.fail(try cache.onlyMint(), Self.unauthorized)
        }
        // The probe is refused, too, which proves it.
        cache.fail(try cache.onlyMint(), Self.unauthorized)
        #expect(check("client", cache)?.status == .failing)
        let openings = cache.stats().tenants["main"]?.openFor
        cache.advance(.seconds(openings ?? 0))
        #expect(cache.ask(Self.key()) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(check("client", cache)?.status == .failing, "a further client's token proves nothing")
    }

    // MARK: Reloads

    @Test("A client that is gone or has another id loses its tokens. The others keep theirs, also with another scope.")
    func reload() throws {
        var cache = Simulation(tenants: ["main": Self.tenant(["gone": "1", "changed": "2", "kept": "3"])])
        for name in ["gone", "changed", "kept"] { try cache.warm(Self.key(name)) }
        try cache.warm(.of("ann"))
        var next = Self.tenant(["changed": "9", "kept": "3"])
        next.clients["kept"]?.scopes = ScopeSet("user_default")
        cache.reconfigure(tenants: ["main": next])
        #expect(cache.ask(Self.key("gone")).error?.code == .invalidRequest)
        #expect(cache.ask(Self.key("changed")) == .wait)
        guard case .mintForClient(_, _, "9", _)? = cache.orders().first else {
            Issue.record("the token was not minted with the new id")
            return
        }
        #expect(cache.ask(Self.key("kept")).served != nil)
        #expect(cache.ask(.of("ann")).served != nil)
    }

    @Test("Those who wait for a client's token when a reload removes it get an error, and the token goes nowhere.")
    func underWay() throws {
        var cache = cache()
        _ = cache.ask(Self.key())
        _ = cache.ask(Self.key("jobs"))
        let calls = cache.mints()
        let deliveries = cache.reconfigure(tenants: ["main": Self.tenant(["jobs": "other"])])
        #expect(deliveries.map(\.reply.error?.code) == [.invalidRequest, .unavailable])
        for call in calls { #expect(cache.succeed(call.call).isEmpty) }
        #expect(cache.stats().entries == 0)
        #expect(cache.ask(Self.key("jobs")) == .wait)
        cache.reconfigure(tenants: ["main": Self.tenant()])
        #expect(cache.ask(Self.key()) == .wait, "nothing of the earlier client is left")
    }

    @Test("A queued mint of a removed client is not sent.")
    func queued() {
        var policy = Self.tenant()
        policy.maxConcurrent = 1
        var cache = Simulation(tenants: ["main": policy])
        _ = cache.ask(.of("ann"))
        _ = cache.ask(Self.key())
        let mint = cache.mints()
        #expect(mint.map(\.key) == [.of("ann")])
        policy.clients = [:]
        #expect(cache.reconfigure(tenants: ["main": policy]).map(\.reply.error?.code) == [.invalidRequest])
        for call in mint { cache.succeed(call.call) }
        #expect(cache.orders().isEmpty)
    }

    // MARK: Other operations

    @Test("A client's token is reported, evicted and revoked like a user's.")
    func operations() throws {
        var cache = cache()
        try cache.warm(Self.key())
        let token = try #require(cache.ask(Self.key()).served?.token)
        #expect(cache.invalidate(Self.key(), token.fingerprint) == .dropped)
        try cache.warm(Self.key())
        cache.evict(Self.key().user)
        #expect(cache.stats().entries == 0)
        try cache.warm(Self.key())
        #expect(cache.revoke(Self.key().user) == nil)
        let revocation = try #require(cache.revocations().first)
        #expect(cache.endRevocation(revocation, .accepted).first?.reply == .revoked(true, upstream: true))
    }

    @Test("Explain and entries name the client.")
    func shown() throws {
        var cache = cache()
        try cache.warm(Self.key())
        let explained = cache.machine.explain(Self.key(), for: 7, now: cache.now)
        #expect(explained.key == ExplainReply.Key(tenant: "main", client: "backend", scope: ""))
        #expect(explained.source == .cache)
        let page = cache.machine.entries(EntriesRequest(), of: nil, now: cache.now)
        #expect(page?.entries.map(\.user) == [Self.key().user.user])
    }

    // MARK: The next daemon

    @Test("A persisted token is restored for the same host and client only, and never as a user's.")
    func restored() throws {
        func restored(
            _ field: LookupField,
            _ client: String,
            host: String = "https://one.example",
            by tenants: [TenantID: TenantPolicy] = ["main": Self.tenant(["backend": "id-1"])]
        ) throws -> Int? {
            let token = StoredToken("backend") {
                $0.field = field
                $0.client = client
                $0.host = host
                $0.scope = ""
                $0.lastUsed = nil
            }
            var cache = Simulation(tenants: tenants, memory: try KeptTokens.memory(of: [token]))
            return cache.restore()
        }
        #expect(try restored(.client, "id-1") == 1)
        #expect(try restored(.client, "client") == 0)
        #expect(try restored(.client, "id-9") == 0)
        #expect(try restored(.userID, "id-1") == 0)
        #expect(try restored(.client, "id-1", host: "https://x") == 0)
        #expect(try restored(.client, "id-1", by: ["main": .test()]) == 0)
    }
}

extension AuditRecord.Act {
    fileprivate var mintedKey: TokenKey? { if case .mint(let key, _, .minted) = self { key } else { nil } }
}
