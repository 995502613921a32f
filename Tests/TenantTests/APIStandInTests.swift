import Secrets
import StandInTenant
import Tenant
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("The tenant's API, as the stand-in tenant plays it", .timeLimit(.minutes(3)))
struct APIStandInTests {
    /// A stand-in with a client that may do everything, and that client's own token.
    private struct Fixture {
        let tenant: StandInTenant
        let client: TenantClient
        let bearer: AccessToken

        func call(_ call: APICall) async -> APIOutcome { await client.call(call, bearer: bearer) }

        func find(_ subject: String, page: String? = nil) async -> APIOutcome {
            await call(.findUsers(subject: Array(subject.utf8), page: page))
        }
    }

    private func withFixture(
        scopes: [String] = ["admin_classic"],
        _ body: (Fixture) async throws -> Void
    ) async throws {
        var configuration = StandInTenant.Configuration()
        configuration.clients = [StandInTenant.Client(id: "users", secrets: ["users-secret"], scopes: scopes)]
        try await withStandInTenant(configuration) { tenant in
            try await withClient(of: tenant.baseURL) {
                $0.timeout = TestTimeout.duration
                $0.connectTimeout = TestTimeout.duration
            } _: { client in
                let outcome = await client.mint(
                    UserLookup(field: .client, value: "users"),
                    scopes: .all,
                    as: .secret(ClientSecret("users-secret")),
                    of: "users"
                )
                guard case .minted(let bearer, _, _) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                try await body(Fixture(tenant: tenant, client: client, bearer: bearer))
                #expect(await tenant.violations.isEmpty)
            }
        }
    }

    private func subjects(_ outcome: APIOutcome) -> [String]? {
        guard case .users(let users, _) = outcome else { return nil }
        return users.map { String(decoding: $0.subject, as: UTF8.self) }
    }

    @Test(
        "A user of any subject is found, and nobody else.",
        arguments: ["auth0|5f", #"DOMAIN\user"#, #"a"b"#, #"\""#, "日本語😀", "a&limit=1#%22+ /?", #"x" or subject co ""#]
    )
    func find(subject: String) async throws {
        try await withFixture { fixture in
            try await fixture.tenant.addUser(.init(subject: "another"))
            #expect(subjects(await fixture.find(subject)) == [])
            try await fixture.tenant.addUser(.init(subject: subject))
            #expect(subjects(await fixture.find(subject)) == [subject])
        }
    }

    @Test("All users that differ only in case are found, in each state, on as many pages as there are.")
    func pages() async throws {
        try await withFixture { fixture in
            for number in 0..<150 {
                let status = StandInTenant.User.Status.allCases[number % 4]
                try await fixture.tenant.addUser(.init(subject: number % 2 == 0 ? "ann" : "ANN", status: status))
            }
            for links in [NextLinks.absolute, .relative] {
                await fixture.tenant.setNextLinks(links)
                guard case .users(let first, let next?) = await fixture.find("ann") else {
                    Issue.record("\(links)")
                    continue
                }
                guard case .users(let second, nil) = await fixture.find("ann", page: next) else {
                    Issue.record("\(links)")
                    continue
                }
                #expect(Set((first + second).map(\.id)).count == 150)
                #expect(Set((first + second).map(\.status)) == ["active", "invited", "disabled", "deleted"])
            }
        }
    }

    private typealias NextLinks = StandInTenant.NextLinks

    @Test("A next page at another server is not asked for.", arguments: [StandInTenant.NextLinks.other, .malformed])
    func foreignPages(links: StandInTenant.NextLinks) async throws {
        try await withFixture { fixture in
            for _ in 0..<101 { try await fixture.tenant.addUser(.init(subject: "ann")) }
            await fixture.tenant.setNextLinks(links)
            guard case .failed(.malformed) = await fixture.find("ann") else {
                Issue.record("\(links)")
                return
            }
        }
    }

    @Test("A user is created, put into groups in both forms, and taken out of them, and the others stay.")
    func lifecycle() async throws {
        try await withFixture { fixture in
            let new = NewUser(subject: Array("ann".utf8), name: "Ann", email: "ann@example.org")
            guard case .created(let user) = await fixture.call(.createUser(new)) else {
                Issue.record("no user")
                return
            }
            #expect(user.subject == Array("ann".utf8) && user.status == "active" && user.groups == [])
            try await fixture.tenant.changeUser(user.id) {
                $0.groups = [.init("idp", .identityProvider), .init("old")]
            }
            let old = TenantUser.Group(name: "old", providerType: "custom")
            let edit = APICall.changeGroups(userID: user.id, .edit(adding: ["new"], removing: [old]))
            #expect(await fixture.call(edit) == .done)
            guard case .users(let found, nil) = await fixture.find("ann"), let groups = found.first?.groups else {
                Issue.record("no groups")
                return
            }
            #expect(groups.map(\.name).sorted() == ["idp", "new"])
            #expect(groups.map(\.providerType) == groups.map { $0.name == "idp" ? "idp" : "custom" })
            let kept = groups.filter { $0.name == "idp" }
            #expect(await fixture.call(.changeGroups(userID: user.id, .replace(kept))) == .done)
            #expect(await fixture.tenant.users.first?.groups == [.init("idp", .identityProvider)])
            guard case .refused(let upstream) = await fixture.call(.createUser(new)) else {
                Issue.record("created twice")
                return
            }
            #expect(upstream.status == 409 && upstream.code == "USERS-409")
        }
    }

    @Test("All of a user's tokens are listed and revoked, and a token that is gone already is told as such.")
    func tokens() async throws {
        try await withFixture { fixture in
            let id = try await fixture.tenant.addUser(.init(subject: "ann"))
            for _ in 0..<3 {
                #expect(
                    await fixture.client.mint(
                        UserLookup(field: .userID, value: id),
                        scopes: try #require(ScopeSet("user_default")),
                        as: .secret(ClientSecret(fixture.tenant.clientSecret)),
                        of: fixture.tenant.clientID
                    ).isMinted
                )
            }
            guard case .tokens(let tokens, nil) = await fixture.call(.listTokens(userID: id, page: nil)) else {
                Issue.record("no list")
                return
            }
            #expect(tokens.count == 3)
            for token in tokens { #expect(await fixture.call(.revokeToken(token)) == .done) }
            for token in tokens {
                guard case .refused(let upstream) = await fixture.call(.revokeToken(token)) else {
                    Issue.record("a token that is gone was revoked")
                    continue
                }
                #expect(upstream.status == 404)
            }
            #expect(await fixture.tenant.liveTokenCount(ofUser: id) == 0)
        }
    }

    @Test("A client without the rights is refused, and a token that the tenant doesn't know, too.")
    func rights() async throws {
        try await withFixture(scopes: ["apps:read"]) { fixture in
            guard case .refused(let upstream) = await fixture.find("ann") else {
                Issue.record("not refused")
                return
            }
            #expect(upstream.status == 403)
            let unknown = await fixture.client.call(
                .findUsers(subject: Array("ann".utf8), page: nil),
                bearer: AccessToken("unknown")
            )
            guard case .refused(let other) = unknown else {
                Issue.record("not refused")
                return
            }
            #expect(other.status == 401)
        }
    }

    @Test(
        "Each fault of the API has the outcome of a fault.",
        arguments: [
            "status-500", "html-502", "unavailable-7", "throttled-9", "redirect-307-other", "empty-200", "array", "bom",
            "duplicate", "invalid-utf8", "truncated", "reset-before", "close-within-head", "reset-after-head",
            "close-within-body", "empty-204",
        ]
    )
    func faults(script: String) async throws {
        try await withFixture { fixture in
            for operation in [StandInTenant.Operation.listUsers, .createUser, .listTokens] {
                try await fixture.tenant.setBehaviour(script, for: operation)
            }
            let new = NewUser(subject: Array("ann".utf8), name: nil, email: nil)
            let calls = [
                APICall.findUsers(subject: Array("ann".utf8), page: nil), .createUser(new),
                .listTokens(userID: "u", page: nil),
            ]
            for call in calls {
                let outcome = await fixture.call(call)
                guard case .failed = outcome else {
                    Issue.record("\(call): \(outcome)")
                    continue
                }
            }
        }
    }
}
