import Foundation
import StandInTenant
import Testing

@Suite("Tokens of users who exist", .timeLimit(.minutes(1)))
struct ImpersonationTests {
    @Test("In the strict mode only users who exist get a token, by subject or by id.")
    func strict() async throws {
        try await withStandInTenant(withClients(.strict)) { tenant in
            let id = try await tenant.addUser(.init(subject: "alice"))
            try await tenant.addUser(.init(subject: "bob", status: .disabled))
            try await tenant.addUser(.init(subject: "carol", status: .deleted))
            try await tenant.addUser(.init(subject: "dave", status: .invited))
            #expect(try await mint(tenant, "alice").status == 200)
            #expect(try await call(tenant, request(body: mintBody(id, field: "userId"))).status == 200)
            #expect(try await mint(tenant, "dave").status == 200)
            #expect(try await mint(tenant, "Alice").status == 401)
            #expect(try await mint(tenant, "carol").status == 401)
            let disabled = try await mint(tenant, "bob")
            #expect(disabled.status == 403 && disabled.tenantError?["code"] == "OAUTH-14")
            await tenant.setUsers(.strict, unknownStatus: 404)
            let unknown = try await mint(tenant, "nobody")
            #expect(unknown.status == 404 && unknown.tenantError?["code"] == "OAUTH-10")
            #expect(try await clientToken(tenant).isEmpty == false)
            await tenant.setUsers(.lax)
            #expect(try await mint(tenant, "nobody").status == 200)
            #expect(await tenant.violations == [])
        }
    }

    @Test("A created user can be impersonated only after a while, if that is set.")
    func settling() async throws {
        try await withStandInTenant(withClients(.strict)) { tenant in
            await tenant.setNewUsers(usableAfter: .seconds(3_600))
            let bearer = try await clientToken(tenant)
            _ = try await api(tenant, "POST", "users", #"{"subject":"alice"}"#, bearer: bearer)
            #expect(try await api(tenant, "GET", "users", bearer: bearer).data.count == 1)
            #expect(try await mint(tenant, "alice").status == 401)
            await tenant.settleUsers()
            #expect(try await mint(tenant, "alice").status == 200)
            await tenant.setNewUsers(usableAfter: .milliseconds(1))
            _ = try await api(tenant, "POST", "users", #"{"subject":"bob"}"#, bearer: bearer)
            var status = 0
            while status != 200 { status = try await mint(tenant, "bob").status }
        }
    }

    @Test("A token's owner is the present user, with groups, as far as the tenant knows them.")
    func presentUser() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let id = try await tenant.addUser(.init(subject: "alice", groups: [.init("portal-emea")]))
            let bySubject = token(try await mint(tenant, "alice"))
            let byID = token(try await call(tenant, request(body: mintBody(id, field: "userId"))))
            for bearer in [bySubject, byID] {
                let reply = try await api(tenant, "GET", "users/me", bearer: bearer)
                let groups = reply.json?["assignedGroups"] as? [[String: String]]
                #expect(reply.json?["subject"] as? String == "alice")
                #expect(groups?.map { $0["name"] } == ["portal-emea"])
            }
            for bearer in [token(try await mint(tenant, "Alice")), try await clientToken(tenant)] {
                let reply = try await api(tenant, "GET", "users/me", bearer: bearer)
                #expect(reply.status == 200)
                #expect(reply.text == "{}")
            }
            #expect(try await api(tenant, "GET", "users/me", bearer: "unknown").status == 401)
        }
    }

    @Test("The API lists and deletes a user's live tokens, whichever way the user was named.")
    func tokens() async throws {
        try await withStandInTenant(withClients(.strict)) { tenant in
            let id = try await tenant.addUser(.init(subject: "alice"))
            let other = try await tenant.addUser(.init(subject: "Alice"))
            var alice: [String] = []
            for _ in 0..<3 {
                alice.append(token(try await mint(tenant, "alice")))
                alice.append(token(try await call(tenant, request(body: mintBody(id, field: "userId")))))
            }
            let bystander = token(try await mint(tenant, "Alice"))
            await tenant.revoke(alice[0])
            let admin = try await clientToken(tenant, "admin")
            let path = "oauth-tokens?userId=\(id)&limit=2"
            let first = try await api(tenant, "GET", path, bearer: admin)
            #expect(first.data.count == 2 && first.data.allSatisfy { $0["userId"] as? String == id })
            #expect(Set(first.data[0].keys) == ["id", "userId", "tenantId", "lastUsed", "deviceType", "description"])
            let second = try await api(tenant, "GET", try #require(first.next), bearer: admin)
            #expect(second.data.count == 2)
            for record in first.data + second.data {
                let id = try #require(record["id"] as? String)
                let reply = try await api(tenant, "DELETE", "oauth-tokens/" + id, bearer: admin)
                #expect(reply.status == 204 && reply.body.isEmpty)
                #expect(try await api(tenant, "DELETE", "oauth-tokens/" + id, bearer: admin).status == 404)
            }
            #expect(await tenant.liveTokenCount(ofUser: id) == 1)
            // The cursor counts elements, so that it skips as many as were deleted in the meantime.
            #expect(try await api(tenant, "GET", try #require(first.next), bearer: admin).data.isEmpty)
            #expect(try await api(tenant, "GET", path, bearer: admin).data.count == 1)
            #expect(await tenant.isLive(bystander))
            #expect(await tenant.isLive(alice[5]))
            #expect(await !tenant.isLive(alice[1]))
            #expect(try await api(tenant, "GET", "users/me", bearer: alice[1]).status == 401)
            #expect(try await api(tenant, "GET", "oauth-tokens?userId=\(other)", bearer: admin).data.count == 1)
            #expect(await tenant.violations == [])
        }
    }

    @Test(
        "An id that no token has is 404.",
        arguments: [
            "t0", "t2", "1", "x1", "t01", "t", "t-1", "t%2B1", "t-9223372036854775808", "t99999999999999999999",
        ]
    )
    func unknownToken(_ id: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let admin = try await clientToken(tenant, "admin")
            #expect(try await api(tenant, "DELETE", "oauth-tokens/" + id, bearer: admin).status == 404)
            #expect(await tenant.isLive(admin))
            #expect(await tenant.violations == [])
        }
    }

    @Test("Tokens are listed for one user only, and for a client with admin_classic.")
    func tokenRules() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let users = try await clientToken(tenant, "users")
            #expect(try await api(tenant, "GET", "oauth-tokens?userId=1", bearer: users).status == 403)
            #expect(try await api(tenant, "DELETE", "oauth-tokens/t1", bearer: users).status == 403)
            let user = token(try await call(tenant, request(body: mintBody("alice", scope: "admin_classic"))))
            #expect(try await api(tenant, "GET", "oauth-tokens?userId=1", bearer: user).status == 403)
            #expect(await tenant.violations == [])
            let admin = try await clientToken(tenant, "admin")
            #expect(try await api(tenant, "GET", "oauth-tokens?userId=1&sort=userId", bearer: admin).data.isEmpty)
            for query in ["", "?limit=1", "?userId=1&sort=id", "?userId=1&next=1"] {
                #expect(try await api(tenant, "GET", "oauth-tokens" + query, bearer: admin).status == 400)
            }
            #expect(await tenant.counters.violations == 4)
        }
    }

    @Test("Each tier has its own limit and its own counts.")
    func tiers() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            await tenant.setAPIRateLimit(.init(perMinute: 1, burst: 2))
            var statuses: [Int] = []
            for path in ["users", "users/me", "groups"] {
                statuses.append(try await api(tenant, "GET", path, bearer: bearer).status)
            }
            #expect(statuses == [200, 200, 429])
            let throttled = try await api(tenant, "GET", "users", bearer: bearer)
            #expect((30...60).contains(Int(throttled.fields["retry-after"] ?? "") ?? 0))
            #expect(try await mint(tenant, "alice").status == 200)
            let counters = await tenant.counters
            #expect(counters.tiers[.api]?.calls == 4 && counters.tiers[.api]?.throttled == 2)
            #expect(counters.tiers[.tokens]?.calls == 2 && counters.tiers[.tokens]?.throttled == 0)
            #expect(counters.operations == [.listUsers: 2, .currentUser: 1, .listGroups: 1])
            await tenant.setRateLimit(.init(perMinute: 1, burst: 1))
            await tenant.setAPIRateLimit(nil)
            #expect(try await mint(tenant, "alice").status == 200)
            #expect(try await mint(tenant, "alice").status == 429)
            #expect(try await api(tenant, "GET", "users", bearer: bearer).status == 200)
        }
    }
}
