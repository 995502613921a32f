import StandInTenant
import Testing

@Suite("Control of users", .timeLimit(.minutes(1)))
struct UserControlTests {
    @Test("Users are added, changed and listed, also two with one subject.")
    func users() async throws {
        try await withStandInTenant { tenant in
            let body =
                #"{"subject":"a","name":"A","email":"a@b","status":"invited","groups":["x",{"name":"y","provider":"idp"}]}"#
            let id = try #require(try await control(tenant, "users", body).json?["id"] as? String)
            #expect(try await control(tenant, "users", #"{"subject":"a","id":"own"}"#).json?["id"] as? String == "own")
            #expect(
                try await control(tenant, "users/change", #"{"id":"own","status":"disabled","groups":[]}"#).status
                    == 200
            )
            let expected: [StandInTenant.User] = [
                .init(
                    id: id,
                    subject: "a",
                    name: "A",
                    email: "a@b",
                    status: .invited,
                    groups: [.init("x"), .init("y", .identityProvider)]
                ),
                .init(id: "own", subject: "a", status: .disabled),
            ]
            #expect(await tenant.users == expected)
            let listed = try #require(try JSONValue(json: try await control(tenant, "users").body).elements)
            #expect(listed.map { $0["status"]?.text } == ["invited", "disabled"])
            #expect(listed[0]["groups"]?.elements?.map { $0["provider"]?.text } == ["custom", "idp"])
        }
    }

    @Test(
        "A wrong user is an error.",
        arguments: [
            ("users", "{}"), ("users", #"{"subject":"a","x":1}"#), ("users", #"{"subject":"a","status":"gone"}"#),
            ("users", #"{"subject":"a","groups":[1]}"#), ("users", #"{"subject":"taken","id":"taken"}"#),
            ("users/change", #"{"id":"nobody"}"#),
            ("users/change", #"{"name":"a"}"#), ("users/change", #"{"id":"taken","subject":"a"}"#),
            ("hold", #"{"operation":"users"}"#),
        ]
    )
    func wrongUser(_ path: String, _ body: String) async throws {
        try await withStandInTenant { tenant in
            try await tenant.addUser(.init(id: "taken", subject: "taken"))
            #expect(try await control(tenant, path, body).status == 400)
            #expect(await tenant.users.count == 1)
        }
    }

    @Test("Every setting of users and the API has its effect.")
    func settings() async throws {
        try await withStandInTenant { tenant in
            let settings = """
                {"clients":[{"id":"users","secrets":["users-secret"],"scopes":["admin.users"]}],"users":"strict",\
                "unknown_user_status":404,"existing_user_status":400,"subjects_ignore_case":true,\
                "listed_after_ms":3600000,"usable_after_ms":3600000,"next_links":"relative",\
                "operations":{"groups.list":"status-418"},"api_rate_per_minute":1,"api_burst":7}
                """
            #expect(try await control(tenant, "settings", settings).status == 200)
            let bearer = try await clientToken(tenant)
            #expect(try await api(tenant, "GET", "groups", bearer: bearer).status == 418)
            #expect(try await api(tenant, "POST", "users", #"{"subject":"a"}"#, bearer: bearer).status == 201)
            #expect(try await api(tenant, "POST", "users", #"{"subject":"A"}"#, bearer: bearer).status == 400)
            #expect(try await api(tenant, "GET", "users", bearer: bearer).data.isEmpty)
            #expect(try await mint(tenant, "a").status == 404)
            try await control(tenant, "settle", "{}")
            #expect(try await mint(tenant, "a").status == 200)
            try await tenant.addUser(.init(subject: "b"))
            let page = try await api(tenant, "GET", "users?limit=1", bearer: bearer)
            #expect(page.text.contains(#""next":{"href":"/api/v1/users?limit=1&next="#))
            for status in [200, 200, 429] {
                #expect(try await api(tenant, "GET", "users", bearer: bearer).status == status)
            }
            let counters = try JSONValue(json: try await control(tenant, "counters").body)
            #expect(
                counters["tiers"]?["1"]?["calls"]?.integer == 8 && counters["tiers"]?["1"]?["throttled"]?.integer == 1
            )
            #expect(counters["tiers"]?["2"]?["calls"]?.integer == 3)
            #expect(counters["operations"]?["users.create"]?.integer == 2)
        }
    }

    @Test(
        "A wrong setting changes nothing.",
        arguments: [
            #"{"clients":[{"id":"x"}]}"#, #"{"clients":[{"id":"standin-client","scopes":["a"]}]}"#,
            #"{"clients":[{"scopes":["a"]}]}"#,
            #"{"clients":[{"id":"x","scopes":["a"],"keys":["no key"]}]}"#,
            #"{"clients":[{"id":"x","scopes":["a"],"y":1}]}"#,
            #"{"users":"some"}"#, #"{"unknown_user_status":200}"#, #"{"subjects_ignore_case":1}"#,
            #"{"next_links":"up"}"#,
            #"{"operations":{"users":"ok"}}"#, #"{"operations":{"users.list":"expires-1"}}"#, #"{"api_burst":1}"#,
            #"{"clients":[{"id":"x","scopes":["a"]},{"id":"x","scopes":["a"]}]}"#,
        ]
    )
    func wrongSetting(_ body: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let status = try await control(tenant, "settings", body).status
            #expect(status == 400)
            let token = try await clientToken(tenant)
            #expect(!token.isEmpty)
        }
    }

    @Test("The replies of one operation can be held.")
    func holding() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            try await control(tenant, "hold", #"{"operation":"users.list"}"#)
            async let held = api(tenant, "GET", "users", bearer: bearer)
            try await tenant.waitForHeldReplies(count: 1)
            #expect(try await api(tenant, "GET", "groups", bearer: bearer).status == 200)
            try await control(tenant, "release", "{}")
            let status = try await held.status
            #expect(status == 200)
        }
    }
}
