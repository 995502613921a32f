import SocketServer
import Testing
import TokenCache
import TokenProtocol

/// A tenant that is known by its name alone.
extension TenantID: ExpressibleByStringLiteral {
    /// Names a tenant.
    public init(stringLiteral name: String) { self.init(number: name == "main" ? 1 : 2, name: name) }
}

@Suite("What a rule gives")
struct GrantTests {
    private static let ann = UserLookup(field: .subject, value: "ann")
    private static let directory = TenantDirectory(
        scopes: (["main": "b a", "other": "a"] as [TenantID: String]).compactMapValues { ScopeSet($0) },
        defaultTenant: "main"
    )

    private func grant(_ rule: AccessRule?, _ directory: TenantDirectory = Self.directory) -> Grant {
        Grant(rule, directory)
    }

    private func request(
        _ value: String = "ann",
        _ field: LookupField = .subject,
        tenant: String? = nil,
        scopes: String? = nil
    ) -> KeyRequest {
        KeyRequest(
            user: UserLookup(field: field, value: value),
            tenant: tenant,
            scopes: scopes.flatMap { ScopeSet($0) }
        )
    }

    private func code(_ body: () throws -> Void) -> ErrorReply.Code? {
        #expect(throws: ErrorReply.self) { try body() }?.code
    }

    /// Whether a request for a token is answered from its bytes.
    private func finds(_ grant: Grant, _ request: KeyRequest) -> Bool {
        let (user, tenant) = (request.user.value, Array((request.tenant ?? "").utf8))
        let scope = Array((request.scopes?.text ?? "").utf8)
        return grant.find(request.user.field, user.span, tenant.span, scope.span) != nil
    }

    @Test(
        "Without rules, no scope means the tenant's own, which is the same key as asking for it; a part may be asked for."
    )
    func ownScope() throws {
        let grant = grant(.withoutRules)
        let plain = try grant.key(for: request(), .token)
        #expect(plain == TokenKey(tenant: "main", user: Self.ann, scopes: try #require(ScopeSet("a b"))))
        #expect(try grant.key(for: request(tenant: "main", scopes: "b a"), .token) == plain)
        #expect(try grant.key(for: request("x", .userID, scopes: "a"), .token).scopes == ScopeSet("a"))
        #expect(code { _ = try grant.key(for: request(scopes: "a c"), .token) } == .forbidden)
        #expect(grant.operations == [.token, .prefetch, .invalidate, .revoke])
        #expect(grant.tenants == ["main", "other"])
    }

    @Test("A tenant that isn't configured is unknown; with several, one has to be the default or be named.")
    func tenants() throws {
        let scopes = (["main": "a", "other": "a"] as [TenantID: String]).compactMapValues { ScopeSet($0) }
        let two = grant(.withoutRules, TenantDirectory(scopes: scopes, defaultTenant: nil))
        #expect(code { _ = try two.key(for: request(tenant: "none"), .token) } == .unknownTenant)
        #expect(code { _ = try two.key(for: request(), .token) } == .unknownTenant)
        #expect(try two.key(for: request(tenant: "other"), .token).user.tenant == "other")
        #expect(!finds(two, request()))
    }

    @Test("A tenant is meant by the bytes of its name, not by a text that Unicode takes for the same.")
    func equivalentNames() {
        let scopes = ["K1": "a"].compactMapValues { ScopeSet($0) }
        let ids = Dictionary(uniqueKeysWithValues: scopes.map { (TenantID(number: 1, name: $0.key), $0.value) })
        let grant = grant(.withoutRules, TenantDirectory(scopes: ids, defaultTenant: nil))
        #expect(code { _ = try grant.key(for: request(tenant: "\u{212A}1"), .token) } == .unknownTenant)
        #expect(throws: Never.self) { try grant.key(for: request(tenant: "K1"), .token) }
    }

    @Test("Without a rule nothing may be asked for.")
    func nothing() {
        let grant = grant(nil)
        #expect(code { _ = try grant.key(for: request(), .token) } == .forbidden)
        #expect(code { _ = try grant.logout(request()) } == .forbidden)
        #expect(code { _ = try grant.keys(for: PrefetchRequest(users: [Self.ann])) } == .forbidden)
        #expect(!finds(grant, request()))
        #expect(grant.operations.isEmpty && grant.tenants.isEmpty)
    }

    @Test("A rule without subjects and user ids gives no user; each kind is a list of its own.")
    func users() throws {
        #expect(code { _ = try self.grant(AccessRule(peers: .everyone)).key(for: request(), .token) } == .forbidden)
        let grant = grant(
            AccessRule(peers: .everyone, subjects: [Glob("auth0|*"), Glob("ann")], userIDs: [Glob("?1")])
        )
        for allowed in [request("auth0|7"), request("auth0|"), request(), request("x1", .userID)] {
            #expect(try grant.key(for: allowed, .token).user.user == allowed.user)
            #expect(finds(grant, allowed))
        }
        for refused in [request("bob"), request("x1"), request("ann", .userID), request("ANN"), request("annn")] {
            #expect(code { _ = try grant.key(for: refused, .token) } == .forbidden)
            #expect(!finds(grant, refused))
        }
        let mixed = PrefetchRequest(users: [Self.ann, UserLookup(field: .subject, value: "bob")])
        #expect(code { _ = try grant.keys(for: mixed) } == .forbidden, "one that is forbidden forbids all of it")
    }

    @Test(
        "A rule's scopes are all that may be asked for, more than the tenant's own too; without any, the own ones count."
    )
    func scopes() throws {
        var rule = AccessRule.withoutRules
        rule.scopes = ["a", "admin"]
        let wide = grant(rule)
        #expect(code { _ = try wide.key(for: request(), .token) } == .forbidden, "the own scopes have b")
        #expect(!finds(wide, request()))
        #expect(try wide.key(for: request(tenant: "other"), .token).scopes == ScopeSet("a"))
        #expect(finds(wide, request(tenant: "other")))
        #expect(code { _ = try wide.key(for: request(scopes: "a b"), .token) } == .forbidden)
        #expect(!finds(wide, request(scopes: "a admin")), "not asked for yet")
        #expect(try wide.key(for: request(scopes: "admin a"), .token).scopes == ScopeSet("a admin"))
        #expect(finds(wide, request(scopes: "a admin")), "remembered from the first request on")
        #expect(finds(wide, request(tenant: "main", scopes: "a admin")))
        #expect(!finds(wide, request(tenant: "other", scopes: "a admin")), "for that tenant only")
    }

    @Test("A rule's tenants and operations are all that may be used.")
    func tenantsAndOperations() throws {
        var rule = AccessRule.withoutRules
        rule.tenants = ["other"]
        rule.operations = [.invalidate, .revoke]
        let grant = grant(rule)
        #expect(grant.tenants == ["other"])
        #expect(code { _ = try grant.key(for: request(tenant: "other"), .token) } == .forbidden)
        #expect(!finds(grant, request(tenant: "other")))
        #expect(try grant.key(for: request(tenant: "other"), .invalidate).user.tenant == "other")
        #expect(
            code { _ = try grant.key(for: request(), .invalidate) } == .forbidden,
            "the default tenant isn't listed"
        )
        #expect(code { _ = try grant.key(for: request(tenant: "none"), .invalidate) } == .unknownTenant)
        let logout = try grant.logout(request(tenant: "other"))
        #expect(logout.user == UserKey(tenant: "other", user: Self.ann) && logout.scopes == nil)
        #expect(code { _ = try grant.logout(request(tenant: "other", scopes: "c")) } == .forbidden)
    }

    @Test("What is remembered is bounded, and what isn't remembered is still decided.")
    func bounded() throws {
        var rule = AccessRule.withoutRules
        rule.scopes = Set((0..<100).map { "s\($0)" })
        let grant = grant(rule)
        for index in 0..<100 { _ = try grant.key(for: request(scopes: "s\(index)"), .token) }
        #expect(finds(grant, request(scopes: "s0")))
        #expect(!finds(grant, request(scopes: "s99")))
        #expect(try grant.key(for: request(scopes: "s99"), .token).scopes == ScopeSet("s99"))
    }
}

@Suite("Peers and patterns")
struct PeerSetTests {
    @Test(
        "A peer is in a set by its user, its group, one of its further groups or its unit, and in none that is empty."
    )
    func membership() {
        let peer = Peer(uid: 10, gid: 20, groups: [30, 31], unit: "app@1.service")
        for set in [
            PeerSet.everyone, PeerSet(users: [10]), PeerSet(groups: [20]), PeerSet(groups: [1, 31]),
            PeerSet(units: [Glob("app@*.service")]), PeerSet(users: [99], units: [Glob("app@1.service")]),
        ] {
            #expect(set.contains(peer))
        }
        for set in [
            PeerSet(), PeerSet(users: [20]), PeerSet(groups: [10]), PeerSet(units: [Glob("app@1")]),
        ] {
            #expect(!set.contains(peer))
        }
        #expect(!PeerSet(units: [.everything]).contains(Peer(uid: 10, gid: 20)), "no unit is no unit's name")
    }

    @Test(
        "Only * and ? are special, and ? is one character, not one byte.",
        arguments: [
            ("*", "", true), ("*", "anything", true), ("", "", true), ("", "a", false), ("a", "a", true),
            ("a*", "a", true), ("a*", "ba", false), ("*a", "bca", true), ("*a", "ab", false), ("a*c", "abbc", true),
            ("a*b*c", "aXbYbZc", true), ("a*b*c", "acb", false), ("?", "é", true), ("?", "👍", true), ("??", "é", false),
            ("*?", "", false), ("*?", "x", true), ("**", "x", true), ("[ab]", "a", false), ("[ab]", "[ab]", true),
            ("\\*", "\\anything", true), ("\\*", "*", false), ("DOMAIN\\*", "DOMAIN\\ann", true), ("A", "a", false),
            ("*.example", "x.example.evil", false), ("*é*", "caféine", true), ("*?é", "éé", true),
        ]
    )
    func patterns(_ pattern: String, _ name: String, _ fits: Bool) {
        #expect(Glob(pattern).fits(name) == fits)
    }

    @Test("A pattern of many stars doesn't take for ever.")
    func manyStars() {
        let pattern = Glob(String(repeating: "*a", count: 500) + "b")
        #expect(!pattern.fits(String(repeating: "a", count: 1_024)))
    }
}
