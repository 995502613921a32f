import StandInTenant
import Testing

@Suite("Control requests", .timeLimit(.minutes(1)))
struct ControlTests {
    @Test("The settings can be changed, all at once, and nothing of it counts as a call.")
    func settings() async throws {
        try await withStandInTenant { tenant in
            let body = """
                {"behaviour":"status-500","behaviours":{"alice":"expires-7"},"script":"status-418","revocation":"status-502",\
                "latency_ms":1,"lifetime":60,"token_bytes":700,"secrets":["s"],"rate_per_minute":1,"burst":4}
                """
            #expect(try await control(tenant, "settings", body).status == 200)
            #expect(await tenant.counters.calls == 0)
            var statuses: [Int] = []
            for value in ["x", "x", "alice", "ok:x"] {
                statuses.append(try await mint(tenant, value, secret: "s").status)
            }
            #expect(statuses == [418, 500, 200, 200])
            #expect(try await mint(tenant, "x", secret: "s").status == 429)
            #expect(try await control(tenant, "settings", #"{"rate_per_minute":null}"#).status == 200)
            let reply = try await mint(tenant, "ok:x", secret: "s")
            #expect((699...700).contains(token(reply).utf8.count) && reply.json?["expires_in"] as? Int == 60)
            #expect(try await mint(tenant, "ok:x").status == 401)
            let revocation = request("POST", "/oauth/revoke", body: revocationBody(token(reply)))
            #expect(try await call(tenant, revocation).status == 502)
        }
    }

    @Test(
        "A malformed control request is refused and changes nothing.",
        arguments: [
            ("settings", #"{"behavior":"ok"}"#), ("settings", #"{"behaviour":"sideways"}"#),
            ("settings", #"{"latency_ms":"9"}"#), ("settings", #"{"latency_ms":-1}"#), ("settings", #"{"burst":3}"#),
            ("settings", #"{"secrets":[]}"#), ("settings", #"{"secrets":[1]}"#), ("settings", "[]"), ("settings", "{"),
            ("settings", #"{"rate_per_minute":null,"rate_per_minute":1}"#),
            ("settings", #"{"behaviour":"status-500","lifetime":0}"#),
            ("live", "{}"), ("nothing", "{}"), ("release", #"{"count":-1}"#), ("hold", #"{"value":1}"#),
        ]
    )
    func malformed(_ path: String, _ body: String) async throws {
        try await withStandInTenant { tenant in
            let reply = try await control(tenant, path, body)
            #expect(reply.status == 400)
            #expect((reply.json?["error"] as? String)?.isEmpty == false)
            #expect(try await mint(tenant, "alice").status == 200)
            #expect(await tenant.violations == [])
        }
    }

    @Test("The counters, the requests and the broken rules can be read, and reset.")
    func reading() async throws {
        try await withStandInTenant { tenant in
            _ = try await mint(tenant, "alice")
            _ = try await call(tenant, request("GET"))
            let counters = try JSONValue(json: try await control(tenant, "counters").body)
            #expect(counters["calls"]?.integer == 2 && counters["mints"]?.integer == 1)
            #expect(counters["violations"]?.integer == 1)
            let key = try #require(counters["by_key"]?.elements?.first)
            #expect(key["value"]?.text == "alice" && key["mints"]?.integer == 1 && key["field"]?.text == "subject")
            let requests = try #require(try JSONValue(json: try await control(tenant, "requests").body).elements)
            #expect(requests.map { $0["status"]?.integer } == [200, 400])
            #expect(requests.first?["behaviour"]?.text == "ok")
            let violations = try JSONValue(json: try await control(tenant, "violations").body)
            #expect(violations.elements?.isEmpty == false)
            try await control(tenant, "reset", "")
            #expect(try JSONValue(json: try await control(tenant, "violations").body) == .array([]))
            #expect(try await control(tenant, "counters").json?["calls"] as? Int == 0)
        }
    }

    @Test("The gate can be shut and opened.")
    func gate() async throws {
        try await withStandInTenant { tenant in
            try await control(tenant, "hold", #"{"value":"alice"}"#)
            async let alice = mint(tenant, "alice")
            try await tenant.waitForHeldReplies(count: 1)
            try await control(tenant, "hold", "{}")
            async let bob = mint(tenant, "bob")
            try await tenant.waitForHeldReplies(count: 2)
            try await control(tenant, "release", #"{"count":1}"#)
            let first = try await alice.status
            #expect(first == 200)
            #expect(await tenant.counters.held == 1)
            try await control(tenant, "release", "{}")
            let second = try await bob.status
            #expect(second == 200)
        }
    }

    @Test("Tokens can be asked about and revoked, and the table be read.")
    func others() async throws {
        try await withStandInTenant { tenant in
            let body = #"{"token":"\#(token(try await mint(tenant, "alice")))"}"#
            #expect(try await control(tenant, "live", body).json?["live"] as? Bool == true)
            #expect(try await control(tenant, "revoke", body).json?["revoked"] as? Bool == true)
            #expect(try await control(tenant, "live", body).json?["live"] as? Bool == false)
            #expect(try await control(tenant, "behaviours").text.contains("flap-N"))
        }
    }

    @Test("Connections can be refused for a while; the request that asks for it gets its reply first.")
    func refusal() async throws {
        try await withStandInTenant { tenant in
            #expect(try await control(tenant, "refuse", #"{"for_ms":3600000}"#).status == 200)
            await #expect(throws: (any Error).self) { _ = try await mint(tenant, "alice") }
            try await tenant.startListening()
            #expect(try await mint(tenant, "alice").status == 200)
        }
    }
}
