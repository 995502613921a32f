import Foundation
import StandInTenant
import Testing

@Suite("Look-ups of users", .timeLimit(.minutes(1)))
struct UserListTests {
    private static func add(_ tenant: StandInTenant) async throws {
        for user in [
            StandInTenant.User(subject: "alice", name: "Alice A", email: "alice@example.com"),
            .init(subject: "Alice", name: "The other", email: "other@example.com"),
            .init(subject: #"DOMAIN\bob"#, name: #"Bob "B""#, status: .disabled),
            .init(subject: "carol", status: .deleted), .init(subject: "dave", status: .invited),
            .init(subject: "\u{1}\né", status: .disabled),
        ] { try await tenant.addUser(user) }
    }

    private static let all =
        #"(status eq "active" or status eq "invited" or status eq "disabled" or status eq "deleted")"#

    @Test(
        "A filter finds users without regard to upper and lower case, and deleted ones only if it names their state.",
        arguments: [
            (#"(subject eq "alice")"#, ["alice", "Alice"]), (#"subject eq "ALICE" and \#(all)"#, ["alice", "Alice"]),
            (#"(subject eq "carol")"#, []), (#"(subject eq "carol") and \#(all)"#, ["carol"]),
            (#"subject eq "DOMAIN\\bob""#, [#"DOMAIN\bob"#]), (#"name eq "bob \"b\"""#, [#"DOMAIN\bob"#]),
            (#"email eq "ALICE@example.com""#, ["alice"]), (#"email co "EXAMPLE""#, ["alice", "Alice"]),
            (#"(status eq "deleted" or status eq "Invited")"#, ["carol", "dave"]),
            (#"(status eq "active")"#, ["alice", "Alice"]),
            (#"(name co "other" or subject eq "dave") and (status eq "invited")"#, ["dave"]),
            (#"(status eq "active") and subject co "ali" and name eq "alice a""#, ["alice"]),
            (#"subject eq "dave" or subject eq "alice" and name eq "Alice A""#, ["alice", "dave"]),
            (#"subject eq "\u0001\n\u00C9""#, ["\u{1}\né"]), (#"subject eq "nobody""#, []),
            (#"subject eq "alice\" or \"""#, []),
        ]
    )
    func filter(_ filter: String, _ subjects: [String]) async throws {
        try await withStandInTenant(withClients()) { tenant in
            try await Self.add(tenant)
            let bearer = try await clientToken(tenant)
            let reply = try await api(tenant, "GET", "users?filter=" + encoded(filter), bearer: bearer)
            #expect(reply.status == 200)
            #expect(reply.data.map { $0["subject"] as? String } == subjects)
            #expect(await tenant.violations == [])
        }
    }

    @Test(
        "A filter that the tenant doesn't know is a fault, and so are conditions on the state that don't apply to all of it.",
        arguments: [
            "x", #"subject"#, #"subject eq"#, #"subject eq alice"#, #"subject eq "alice"#, #"subject ne "a""#,
            #"id co "a""#, #"status co "a""#, #"status eq "gone""#, #"subject eq "a" and"#, #"(subject eq "a""#,
            #"subject eq "a")"#, #"subject eq "a"b""#, #"subject eq "a\x""#, #"subject eq """#, "subject eq \"a\nb\"",
            #"subject  eq "a""#, #"subject EQ "a""#, #"subject eq "a" AND name eq "b""#, #"subject eq 'a'"#,
            #"subject eq "a" or (status eq "active")"#, #"(subject eq "a" and status eq "active")"#,
            #"status eq "active" and subject eq "a""#,
            #"subject eq "a" and status eq "active" or status eq "disabled""#,
            #"(status eq "active") and (status eq "disabled")"#, #"((status eq "active" or subject eq "a"))"#,
            #"not subject eq "a""#,
            String(repeating: "(", count: 40) + #"id eq "a""# + String(repeating: ")", count: 40),
        ]
    )
    func wrongFilter(_ filter: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            #expect(try await api(tenant, "GET", "users?filter=" + encoded(filter), bearer: bearer).status == 400)
            #expect(await tenant.violations.count == 1)
        }
    }

    @Test(
        "A query that isn't encoded, or has another parameter, is a fault.",
        arguments: [
            "filter=subject+eq+%22a%22", "filter=subject%20eq%20\"a\"", "filter=subject%20eq%20%22%FF%22", "filter=%2",
            "filter=", "filter", "x=1", "limit=0", "limit=101", "limit=07", "limit=1&limit=1", "next=1", "next=0-00",
            "&",
            "page=1",
        ]
    )
    func wrongQuery(_ query: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            #expect(try await api(tenant, "GET", "users?" + query, bearer: bearer).status == 400)
            #expect(await tenant.violations.count == 1)
        }
    }

    @Test("A list comes in pages of 20, or of the limit, and each page names the next one.")
    func pages() async throws {
        try await withStandInTenant(withClients()) { tenant in
            for number in 0..<45 { try await tenant.addUser(.init(subject: "user \(number)", name: "Same")) }
            let bearer = try await clientToken(tenant)
            var (path, sizes, subjects): (String?, [Int], [String]) = (
                "users?filter=" + encoded(#"name eq "same""#), [], []
            )
            while let target = path {
                let reply = try await api(tenant, "GET", target, bearer: bearer)
                sizes.append(reply.data.count)
                subjects += reply.data.compactMap { $0["subject"] as? String }
                path = reply.next
            }
            #expect(sizes == [20, 20, 5] && Set(subjects).count == 45)
            let limited = try await api(tenant, "GET", "users?limit=45", bearer: bearer)
            #expect(limited.data.count == 45 && limited.next == nil)
            let cursor = try #require(try await api(tenant, "GET", "users?limit=7", bearer: bearer).next)
            let misused = cursor + "&filter=" + encoded(#"name eq "same""#)
            #expect(try await api(tenant, "GET", misused, bearer: bearer).status == 400)
        }
    }

    @Test("The link to the next page can be of any form.")
    func nextLinks() async throws {
        try await withStandInTenant(withClients()) { tenant in
            for number in 0..<3 { try await tenant.addUser(.init(subject: "\(number)")) }
            let bearer = try await clientToken(tenant)
            func link() async throws -> String {
                let reply = try await api(tenant, "GET", "users?limit=1", bearer: bearer)
                return ((reply.json?["links"] as? [String: Any])?["next"] as? [String: String])?["href"] ?? ""
            }
            #expect(try await link().hasPrefix(tenant.baseURL + "/api/v1/users?limit=1&next="))
            await tenant.setNextLinks(.relative)
            #expect(try await link().hasPrefix("/api/v1/users?limit=1&next="))
            await tenant.setNextLinks(.other)
            #expect(try await link().hasPrefix(tenant.otherOriginURL + "/api/v1/users?"))
            await tenant.setNextLinks(.loop)
            #expect(try await link() == tenant.baseURL + "/api/v1/users?limit=1")
            await tenant.setNextLinks(.malformed)
            let malformed = try await link()
            #expect(URL(string: malformed) == nil)
        }
    }

    @Test("A user's token and a client without the scope see the names of active users only.")
    func reading() async throws {
        try await withStandInTenant(withClients()) { tenant in
            try await Self.add(tenant)
            let user = token(
                try await call(tenant, request(body: mintBody("alice", scope: "admin_classic user_default")))
            )
            for bearer in [user, try await clientToken(tenant, "backend")] {
                let reply = try await api(tenant, "GET", "users", bearer: bearer)
                #expect(reply.status == 200 && reply.data.count == 2)
                #expect(reply.data.allSatisfy { Set($0.keys) == ["id", "name"] })
                let post = try await api(tenant, "POST", "users", #"{"subject":"x"}"#, bearer: bearer)
                #expect(post.status == 403)
            }
            let none = try await clientToken(tenant, "backend", scope: "apps:read")
            #expect(try await api(tenant, "GET", "users", bearer: none).status == 403)
            #expect(await tenant.violations == [])
            #expect(await tenant.users.count == 6)
        }
    }

    @Test("Without a live token the API answers 401.")
    func unauthorized() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            #expect(try await api(tenant, "GET", "users", bearer: bearer).status == 200)
            await tenant.revoke(bearer)
            #expect(try await api(tenant, "GET", "users", bearer: bearer).status == 401)
            #expect(try await api(tenant, "GET", "users", bearer: "unknown").status == 401)
            await tenant.setLifetime(.seconds(1))
            try await tenant.setScript("expired")
            #expect(try await api(tenant, "GET", "users", bearer: clientToken(tenant)).status == 401)
            let fields: KeyValuePairs<String, String> = ["host": "x", "accept": "application/json", "user-agent": "t"]
            let bytes = Array(
                "GET /api/v1/users HTTP/1.1\r\n\(fields.map { "\($0.key): \($0.value)\r\n" }.joined())\r\n".utf8
            )
            #expect(try await call(tenant, bytes).status == 401)
            #expect(await tenant.violations == [])
        }
    }

    @Test("Created users can be missing from lists for a while.")
    func searchDelay() async throws {
        try await withStandInTenant(withClients()) { tenant in
            await tenant.setNewUsers(listedAfter: .seconds(3_600))
            let bearer = try await clientToken(tenant)
            let created = try await api(tenant, "POST", "users", #"{"subject":"alice"}"#, bearer: bearer)
            let id = try #require(created.json?["id"] as? String)
            #expect(try await api(tenant, "GET", "users", bearer: bearer).data.isEmpty)
            #expect(try await api(tenant, "GET", "users/" + id, bearer: bearer).status == 200)
            await tenant.settleUsers()
            #expect(try await api(tenant, "GET", "users", bearer: bearer).data.count == 1)
        }
    }
}
