import Foundation
import StandInTenant
import Testing

@Suite("Changes of users", .timeLimit(.minutes(1)))
struct UserChangeTests {
    @Test("A created user comes back with 201, as active or as invited.", arguments: ["ok", "invited"])
    func creation(_ script: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            try await tenant.setBehaviour(script, for: .createUser)
            let bearer = try await clientToken(tenant)
            let body = #"{"subject":"auth0|5f","name":"Ünï","email":"u@example.com","status":"active"}"#
            let reply = try await api(tenant, "POST", "users", body, bearer: bearer)
            #expect(reply.status == 201)
            #expect(reply.json?["status"] as? String == (script == "ok" ? "active" : "invited"))
            #expect(reply.json?["name"] as? String == "Ünï" && reply.json?["email"] as? String == "u@example.com")
            let user = try #require(await tenant.users.first)
            #expect(reply.json?["id"] as? String == user.id && user.subject == "auth0|5f")
            #expect(user.id.count == 24 && user.id.allSatisfy(\.isHexDigit))
            let read = try await api(tenant, "GET", "users/" + user.id, bearer: bearer)
            #expect(read.json?["subject"] as? String == "auth0|5f")
        }
    }

    @Test(
        "A creation that breaks a rule creates nobody.",
        arguments: [
            "{}", "[]", #"{"name":"x"}"#, #"{"subject":""}"#, #"{"subject":1}"#, #"{"subject":"a","roles":[]}"#,
            #"{"subject":"a","status":"disabled"}"#, #"{"subject":"a","subject":"b"}"#,
            #"{"subject":"a","email":null}"#,
        ]
    )
    func wrongCreation(_ body: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            #expect(try await api(tenant, "POST", "users", body, bearer: bearer).status == 400)
            #expect(await tenant.counters.violations == 1)
            #expect(await tenant.users.isEmpty)
        }
    }

    @Test("A subject that exists is refused, as 409 or 400, byte for byte or without regard to case.")
    func existing() async throws {
        try await withStandInTenant(withClients()) { tenant in
            try await tenant.addUser(.init(subject: "alice"))
            try await tenant.addUser(.init(subject: "gone", status: .deleted))
            let bearer = try await clientToken(tenant)
            func create(_ subject: String) async throws -> Int {
                try await api(tenant, "POST", "users", #"{"subject":"\#(subject)"}"#, bearer: bearer).status
            }
            #expect(try await create("alice") == 409)
            #expect(try await create("Alice") == 201)
            await tenant.setExistingUsers(status: 400, ignoringCase: true)
            #expect(try await create("ALICE") == 400)
            #expect(try await create("gone") == 201)
            #expect(await tenant.violations == [])
        }
    }

    @Test("Another client may create the user first, also between the look-up and the creation.")
    func races() async throws {
        try await withStandInTenant(withClients()) { tenant in
            try await tenant.setBehaviour("faster/ok", for: .createUser)
            let bearer = try await clientToken(tenant)
            #expect(try await api(tenant, "POST", "users", #"{"subject":"a"}"#, bearer: bearer).status == 409)
            #expect(await tenant.users.map(\.subject) == ["a"])
            await tenant.holdReplies(for: .createUser)
            async let late = api(tenant, "POST", "users", #"{"subject":"b"}"#, bearer: bearer)
            try await tenant.waitForHeldReplies(count: 1)
            #expect(try await api(tenant, "GET", "users", bearer: bearer).data.count == 1)
            try await tenant.addUser(.init(subject: "b"))
            await tenant.releaseReplies()
            let status = try await late.status
            #expect(status == 409)
            try await tenant.addUser(.init(subject: "b"))
            let two = try await api(tenant, "GET", "users?filter=" + encoded(#"subject eq "b""#), bearer: bearer)
            #expect(two.data.count == 2)
        }
    }

    @Test("A call can be done although its reply is lost or an error, and a failed call is not done.")
    func lostReplies() async throws {
        try await withStandInTenant(withClients()) { tenant in
            try await tenant.setBehaviour("lost/done-504/reset-before/status-503/html-502/truncated", for: .createUser)
            let bearer = try await clientToken(tenant)
            func create(_ subject: String) async throws -> Int {
                try await api(tenant, "POST", "users", #"{"subject":"\#(subject)"}"#, bearer: bearer).status
            }
            let lost = apiRequest("POST", "users", #"{"subject":"a"}"#, bearer: bearer)
            #expect(try await ending(tenant, lost) == .reset)
            #expect(try await create("b") == 504)
            let broken = apiRequest("POST", "users", #"{"subject":"c"}"#, bearer: bearer)
            #expect(try await ending(tenant, broken) == .reset)
            #expect(try await create("d") == 503)
            #expect(try await create("e") == 502)
            let damaged = try await api(tenant, "POST", "users", #"{"subject":"f"}"#, bearer: bearer)
            #expect(damaged.status == 201 && damaged.json == nil)
            #expect(await tenant.users.map(\.subject) == ["a", "b", "f"])
        }
    }

    private static let add = #"{"op":"add","path":"/assignedGroups","value":[{"name":"new","providerType":"custom"}]}"#
    private static let two = #"{"op":"add","path":"/assignedGroups","value":[{"name":"one"},{"name":"two"}]}"#
    private static let remove =
        #"{"op":"remove-value","path":"/assignedGroups","value":[{"name":"old","providerType":"custom"}]}"#
    private static let replace =
        #"{"op":"replace","path":"/assignedGroups","value":[{"name":"only","providerType":"custom"}]}"#

    @Test(
        "A patch adds, removes and replaces groups, the name and the state; by behaviour, it is done by halves.",
        arguments: [
            ("ok", "[\(add),\(remove)]", 204, ["kept", "new"]), ("ok", "[\(replace)]", 204, ["only"]),
            ("ok", "[\(remove),\(remove)]", 204, ["kept"]), ("ok", "[\(add),\(add)]", 204, ["old", "kept", "new"]),
            ("half", "[\(add),\(remove)]", 400, ["old", "kept", "new"]),
            ("half-204", "[\(add),\(remove)]", 204, ["old", "kept", "new"]),
            ("half", "[\(two)]", 400, ["old", "kept", "one"]), ("half-204", "[\(add)]", 204, ["old", "kept"]),
            ("replace-only", "[\(add),\(remove)]", 400, ["old", "kept"]),
            ("replace-only", "[\(replace)]", 204, ["only"]),
            ("done-500", "[\(replace)]", 500, ["only"]), ("status-500", "[\(replace)]", 500, ["old", "kept"]),
        ]
    )
    func patch(_ script: String, _ patch: String, _ status: Int, _ groups: [String]) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let id = try await tenant.addUser(.init(subject: "alice", groups: [.init("old"), .init("kept")]))
            try await tenant.setBehaviour(script, for: .changeUser)
            let bearer = try await clientToken(tenant)
            let reply = try await api(tenant, "PATCH", "users/" + id, patch, bearer: bearer)
            #expect(reply.status == status && (status != 204 || reply.body.isEmpty))
            #expect(await tenant.users[0].groups.map(\.name) == groups)
            #expect(await tenant.violations == [])
        }
    }

    @Test("A name and a state are replaced.")
    func otherPaths() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let id = try await tenant.addUser(.init(subject: "alice"))
            let patch =
                #"[{"op":"replace","path":"/name","value":"A"},{"op":"replace","path":"/status","value":"disabled"}]"#
            let reply = try await api(tenant, "PATCH", "users/" + id, patch, bearer: clientToken(tenant))
            #expect(reply.status == 204)
            #expect(await tenant.users[0].name == "A")
            #expect(await tenant.users[0].status == .disabled)
        }
    }

    @Test(
        "A patch with one wrong operation does nothing.",
        arguments: [
            "{}", "[]", "[\(add),{}]", #"[{"op":"add","path":"/assignedGroups","value":"x"}]"#,
            #"[{"op":"add","path":"/assignedGroups","value":[{"name":""}]}]"#,
            #"[{"op":"add","path":"/assignedGroups","value":[{"name":"a","x":1}]}]"#,
            #"[{"op":"add","path":"/assignedGroups","value":[{"name":"a","providerType":"own"}]}]"#,
            #"[{"op":"add","path":"/assignedRoles","value":[]}]"#,
            #"[{"op":"remove","path":"/assignedGroups","value":[]}]"#,
            #"[{"op":"replace","path":"/status","value":"gone"}]"#, #"[{"op":"replace","path":"/name","value":""}]"#,
            #"[{"op":"replace","path":"/email","value":"a@b"}]"#,
            #"[{"op":"add","path":"/assignedGroups","value":[],"x":1}]"#,
        ]
    )
    func wrongPatch(_ patch: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let id = try await tenant.addUser(.init(subject: "alice", groups: [.init("old")]))
            let reply = try await api(tenant, "PATCH", "users/" + id, patch, bearer: clientToken(tenant))
            #expect(reply.status == 400)
            #expect(await tenant.users[0] == .init(id: id, subject: "alice", groups: [.init("old")]))
            #expect(await tenant.counters.violations == 1)
        }
    }

    @Test("A user who doesn't exist or is deleted is 404.")
    func missing() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let gone = try await tenant.addUser(.init(subject: "gone", status: .deleted))
            let bearer = try await clientToken(tenant)
            for id in [gone, "nobody"] {
                #expect(try await api(tenant, "GET", "users/" + id, bearer: bearer).status == 404)
                #expect(try await api(tenant, "PATCH", "users/" + id, "[\(Self.add)]", bearer: bearer).status == 404)
            }
            #expect(await tenant.violations == [])
        }
    }

    @Test("Groups exist once they were assigned, and are listed in pages.")
    func groups() async throws {
        try await withStandInTenant(withClients()) { tenant in
            try await tenant.addUser(.init(subject: "a", groups: [.init("one"), .init("two", .identityProvider)]))
            let id = try await tenant.addUser(.init(subject: "b", groups: [.init("two", .identityProvider)]))
            let bearer = try await clientToken(tenant)
            _ = try await api(tenant, "PATCH", "users/" + id, "[\(Self.add)]", bearer: bearer)
            let first = try await api(tenant, "GET", "groups?limit=2", bearer: bearer)
            let second = try await api(tenant, "GET", try #require(first.next), bearer: bearer)
            let all = first.data + second.data
            #expect(all.map { $0["name"] as? String } == ["one", "two", "new"])
            #expect(all.map { $0["providerType"] as? String } == ["custom", "idp", "custom"])
            let user = try await api(tenant, "GET", "users/" + id, bearer: bearer)
            let assigned = try #require(user.json?["assignedGroups"] as? [[String: String]])
            #expect(assigned.map { $0["id"] } == all.suffix(2).map { $0["id"] as? String })
        }
    }

    @Test(
        "A call that isn't an operation of the API, or whose head is wrong, is a fault.",
        arguments: [
            "DELETE /api/v1/users/1", "PUT /api/v1/users", "GET /api/v1/", "GET /api/v1/apps", "GET /api/v1/users/",
            "GET /api/v1/users/1/2", "GET /api/v1/users/%2", "POST /api/v1/users?x=1", "GET /api/v1/users/1?x",
            "GET /api/v2/users", "PATCH /api/v1/users", "GET /api/v1/oauth-tokens/1",
        ]
    )
    func wrongTarget(_ line: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            let words = line.split(separator: " ").map(String.init)
            let body = words[0] == "GET" || words[0] == "DELETE" ? nil : #"{"subject":"a"}"#
            let bytes = String(decoding: apiRequest(words[0], "", body, bearer: bearer), as: UTF8.self)
                .replacing("/api/v1/ ", with: words[1] + " ")
            let status = try await call(tenant, Array(bytes.utf8)).status
            #expect(status == 400 || status == 404)
            #expect(await tenant.counters.violations == 1)
        }
    }

    @Test(
        "Each wrong field of a call's head is a fault.",
        arguments: [
            ("accept: application/json", "accept: */*"), ("user-agent: test/1\r\n", ""),
            ("accept", "cookie: a=b\r\naccept"),
            ("accept", "content-type: application/json\r\naccept"), ("accept", "authorization: Basic eA==\r\naccept"),
            ("\r\n\r\n", "\r\ncontent-length: 1\r\n\r\nx"),
        ]
    )
    func wrongHead(_ part: String, _ other: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            let bytes = String(decoding: apiRequest("GET", "users", bearer: bearer), as: UTF8.self)
            #expect(try await call(tenant, Array(bytes.replacing(part, with: other).utf8)).status == 400)
            #expect(await tenant.counters.violations == 1)
        }
    }
}
