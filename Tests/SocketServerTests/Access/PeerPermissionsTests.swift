import SocketServer
import Testing
import TokenCache
import TokenProtocol

@Suite("The permissions of a rule")
struct PeerPermissionsTests {
    private static let ann = UserLookup(field: .subject, value: "ann")
    private static let directory = TenantDirectory(
        scopes: (["main": "b a", "other": "a"] as [TenantID: String]).compactMapValues { ScopeSet($0) },
        clients: [
            "main": [
                "backend": ClientPolicy(clientID: "1", scopes: ScopeSet("a b")),
                "jobs": ClientPolicy(clientID: "2", scopes: nil),
            ]
        ],
        defaultTenant: "main"
    )

    private func permissions(_ rule: AccessRule?, _ directory: TenantDirectory = Self.directory) -> PeerPermissions {
        PeerPermissions(rule, directory)
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

    /// True if a request for a token is answered from its bytes.
    private func finds(_ permissions: PeerPermissions, _ request: KeyRequest) -> Bool {
        let (user, tenant) = (request.user.value, Array((request.tenant ?? "").utf8))
        let scope = Array((request.scopes?.text ?? "").utf8)
        return permissions.find(request.user.field, user.span, tenant.span, scope.span) != nil
    }

    @Test(
        "Without rules, a request without scopes means the tenant's own, and a part of them may be asked for."
    )
    func ownScope() throws {
        let permissions = permissions(.withoutRules)
        let plain = try permissions.key(for: request(), .token)
        #expect(plain == TokenKey(tenant: "main", user: Self.ann, scopes: try #require(ScopeSet("a b"))))
        #expect(try permissions.key(for: request(tenant: "main", scopes: "b a"), .token) == plain)
        #expect(try permissions.key(for: request("x", .userID, scopes: "a"), .token).scopes == ScopeSet("a"))
        #expect(code { _ = try permissions.key(for: request(scopes: "a c"), .token) } == .forbidden)
        #expect(permissions.operations == [.token, .prefetch, .invalidate, .revoke])
        #expect(permissions.tenants == ["main", "other"])
    }

    @Test("An unknown tenant is an error, and so is a request that names none while no tenant is the default.")
    func tenants() throws {
        let scopes = (["main": "a", "other": "a"] as [TenantID: String]).compactMapValues { ScopeSet($0) }
        let two = permissions(.withoutRules, TenantDirectory(scopes: scopes, defaultTenant: nil))
        #expect(code { _ = try two.key(for: request(tenant: "none"), .token) } == .unknownTenant)
        #expect(code { _ = try two.key(for: request(), .token) } == .unknownTenant)
        #expect(try two.key(for: request(tenant: "other"), .token).user.tenant == "other")
        #expect(!finds(two, request()))
    }

    @Test("A tenant's name is compared by its bytes, so an equivalent Unicode text means no tenant.")
    func equivalentNames() {
        let scopes = ["K1": "a"].compactMapValues { ScopeSet($0) }
        let ids = Dictionary(uniqueKeysWithValues: scopes.map { (TenantID(number: 1, name: $0.key), $0.value) })
        let permissions = permissions(.withoutRules, TenantDirectory(scopes: ids, defaultTenant: nil))
        #expect(code { _ = try permissions.key(for: request(tenant: "\u{212A}1"), .token) } == .unknownTenant)
        #expect(throws: Never.self) { try permissions.key(for: request(tenant: "K1"), .token) }
    }

    @Test("Without a rule everything is forbidden.")
    func nothing() {
        let permissions = permissions(nil)
        #expect(code { _ = try permissions.key(for: request(), .token) } == .forbidden)
        #expect(code { _ = try permissions.logout(request()) } == .forbidden)
        #expect(code { _ = try permissions.keys(for: PrefetchRequest(users: [Self.ann])) } == .forbidden)
        #expect(!finds(permissions, request()))
        #expect(permissions.operations.isEmpty && permissions.tenants.isEmpty)
    }

    @Test("A rule without subjects and user ids permits no user, and each of these lists counts for its own field.")
    func users() throws {
        #expect(
            code { _ = try self.permissions(AccessRule(peers: .everyone)).key(for: request(), .token) } == .forbidden
        )
        let permissions = permissions(
            AccessRule(peers: .everyone, subjects: [Glob("auth0|*"), Glob("ann")], userIDs: [Glob("?1")])
        )
        for allowed in [request("auth0|7"), request("auth0|"), request(), request("x1", .userID)] {
            #expect(try permissions.key(for: allowed, .token).user.user == allowed.user)
            #expect(finds(permissions, allowed))
        }
        for forbidden in [request("bob"), request("x1"), request("ann", .userID), request("ANN"), request("annn")] {
            #expect(code { _ = try permissions.key(for: forbidden, .token) } == .forbidden)
            #expect(!finds(permissions, forbidden))
        }
        let mixed = PrefetchRequest(users: [Self.ann, UserLookup(field: .subject, value: "bob")])
        #expect(
            code { _ = try permissions.keys(for: mixed) } == .forbidden,
            "one forbidden user makes all of it forbidden"
        )
    }

    @Test("A client's own token is for peers whose rule lists the client, and for nobody without rules.")
    func clients() throws {
        var rule = AccessRule(peers: .everyone, clients: ["backend"])
        let listed = permissions(rule)
        let backend = request("backend", .client)
        #expect(
            try listed.key(for: backend, .token)
                == TokenKey(tenant: "main", user: backend.user, scopes: #require(ScopeSet("a b")))
        )
        #expect(finds(listed, backend))
        #expect(finds(listed, request("backend", .client, tenant: "main")))
        #expect(listed.clients == ["backend"])
        for (permissions, name) in [
            (permissions(.withoutRules), "backend"), (listed, "jobs"), (permissions(nil), "backend"),
        ] {
            #expect(code { _ = try permissions.key(for: request(name, .client), .token) } == .forbidden)
            #expect(code { _ = try permissions.logout(request(name, .client)) } == .forbidden)
            #expect(!finds(permissions, request(name, .client)))
        }
        #expect(!finds(listed, request("backend")), "a subject of that name is another")
        #expect(permissions(.withoutRules).clients.isEmpty)
        rule.operations = [.invalidate]
        #expect(code { _ = try permissions(rule).key(for: backend, .token) } == .forbidden)
        #expect(!finds(permissions(rule), backend))
    }

    @Test("A client that the rule lists and the tenant doesn't have is an invalid request.")
    func unknownClients() {
        let permissions = permissions(AccessRule(peers: .everyone, clients: ["backend", "nobody"]))
        for request in [request("nobody", .client), request("backend", .client, tenant: "other")] {
            #expect(code { _ = try permissions.key(for: request, .token) } == .invalidRequest)
            #expect(code { _ = try permissions.logout(request) } == .invalidRequest)
            #expect(!finds(permissions, request))
        }
        #expect(code { _ = try permissions.key(for: request("bac\u{212A}end", .client), .token) } == .forbidden)
        #expect(code { _ = try Self.directory.key(for: request("bac\u{212A}end", .client)) } == .invalidRequest)
    }

    @Test("A client's scopes are within its own, or within those of the rule, which all of the client's are not.")
    func clientScopes() throws {
        var rule = AccessRule(peers: .everyone, clients: ["backend", "jobs"])
        let own = permissions(rule)
        #expect(try own.key(for: request("backend", .client, scopes: "b"), .token).scopes == ScopeSet("b"))
        #expect(finds(own, request("backend", .client, scopes: "b")), "remembered since the first request")
        #expect(code { _ = try own.key(for: request("backend", .client, scopes: "c"), .token) } == .forbidden)
        #expect(try own.key(for: request("jobs", .client), .token).scopes == .all)
        #expect(finds(own, request("jobs", .client)))
        #expect(try own.key(for: request("jobs", .client, scopes: "z"), .token).scopes == ScopeSet("z"))
        rule.scopes = ["a"]
        let narrow = permissions(rule)
        #expect(code { _ = try narrow.key(for: request("backend", .client), .token) } == .forbidden)
        #expect(code { _ = try narrow.key(for: request("jobs", .client), .token) } == .forbidden)
        #expect(!finds(narrow, request("jobs", .client)))
        #expect(try narrow.key(for: request("jobs", .client, scopes: "a"), .token).scopes == ScopeSet("a"))
    }

    @Test("A prefetch of clients is for each client's own scopes, and is forbidden if one of them is.")
    func prefetchedClients() throws {
        let permissions = permissions(AccessRule(peers: .everyone, clients: ["backend", "jobs"]))
        let users = ["backend", "jobs"].map { UserLookup(field: .client, value: $0) }
        #expect(try permissions.keys(for: PrefetchRequest(users: users)).map(\.scopes.text) == ["a b", ""])
        let other = users + [UserLookup(field: .client, value: "other")]
        #expect(code { _ = try permissions.keys(for: PrefetchRequest(users: other)) } == .forbidden)
        #expect(permissions.firstForbidden(of: other) == other.last)
    }

    @Test(
        "Only a rule's scopes may be asked for, also beyond the tenant's own, which count if the rule has none."
    )
    func scopes() throws {
        var rule = AccessRule.withoutRules
        rule.scopes = ["a", "admin"]
        let wide = permissions(rule)
        #expect(code { _ = try wide.key(for: request(), .token) } == .forbidden, "the tenant's own scopes have b")
        #expect(!finds(wide, request()))
        #expect(try wide.key(for: request(tenant: "other"), .token).scopes == ScopeSet("a"))
        #expect(finds(wide, request(tenant: "other")))
        #expect(code { _ = try wide.key(for: request(scopes: "a b"), .token) } == .forbidden)
        #expect(!finds(wide, request(scopes: "a admin")), "not asked for yet")
        #expect(try wide.key(for: request(scopes: "admin a"), .token).scopes == ScopeSet("a admin"))
        #expect(finds(wide, request(scopes: "a admin")), "remembered since the first request")
        #expect(finds(wide, request(tenant: "main", scopes: "a admin")))
        #expect(!finds(wide, request(tenant: "other", scopes: "a admin")), "remembered for that tenant only")
    }

    @Test("Only a rule's tenants and operations may be used.")
    func tenantsAndOperations() throws {
        var rule = AccessRule.withoutRules
        rule.tenants = ["other"]
        rule.operations = [.invalidate, .revoke]
        let permissions = permissions(rule)
        #expect(permissions.tenants == ["other"])
        #expect(code { _ = try permissions.key(for: request(tenant: "other"), .token) } == .forbidden)
        #expect(!finds(permissions, request(tenant: "other")))
        #expect(try permissions.key(for: request(tenant: "other"), .invalidate).user.tenant == "other")
        #expect(
            code { _ = try permissions.key(for: request(), .invalidate) } == .forbidden,
            "the default tenant isn't listed"
        )
        #expect(code { _ = try permissions.key(for: request(tenant: "none"), .invalidate) } == .unknownTenant)
        let logout = try permissions.logout(request(tenant: "other"))
        #expect(logout.user == UserKey(tenant: "other", user: Self.ann) && logout.scopes == nil)
        #expect(code { _ = try permissions.logout(request(tenant: "other", scopes: "c")) } == .forbidden)
    }

    @Test("The number of remembered targets is limited, and others are decided by the rule.")
    func bounded() throws {
        var rule = AccessRule.withoutRules
        rule.scopes = Set((0..<100).map { "s\($0)" })
        let permissions = permissions(rule)
        for index in 0..<100 { _ = try permissions.key(for: request(scopes: "s\(index)"), .token) }
        #expect(finds(permissions, request(scopes: "s0")))
        #expect(!finds(permissions, request(scopes: "s99")))
        #expect(try permissions.key(for: request(scopes: "s99"), .token).scopes == ScopeSet("s99"))
    }
}
