import Foundation
import StandInTenant
import Testing

@Suite("Faults of the API", .timeLimit(.minutes(1)))
struct APIFaultTests {
    @Test(
        "Every fault can be played on an operation of the API.",
        arguments: [
            ("status-500", 500), ("html-502", 502), ("unavailable-7", 503), ("throttled-9", 429),
            ("redirect-307-other", 307),
            ("empty-200", 200), ("array", 200), ("bom", 200), ("duplicate", 200), ("nested-9", 200),
            ("invalid-utf8", 200),
            ("text-plain", 200), ("no-content-type", 200), ("chunked", 200), ("slow-head-1", 200), ("drip-0", 200),
            ("truncated", 200), ("flap-1-502", 502), ("after-1+ok", 200),
        ]
    )
    func play(_ script: String, _ status: Int) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            try await tenant.setBehaviour(script, for: .listUsers)
            let reply = try await api(tenant, "GET", "users", bearer: bearer)
            #expect(reply.status == status)
            let isRight = (try? JSONValue(json: reply.body))?["data"] == .array([])
            #expect(
                isRight
                    == ["text-plain", "no-content-type", "chunked", "slow-head-1", "drip-0", "nested-9", "after-1+ok"]
                    .contains(script)
            )
            #expect(await tenant.requests.last?.behaviour.isEmpty == false)
            #expect(try await api(tenant, "GET", "groups", bearer: bearer).status == 200)
        }
    }

    @Test(
        "A connection can break at every point.",
        arguments: ["reset-before", "close-within-head", "reset-after-head", "close-within-body"]
    )
    func breaks(_ script: String) async throws {
        let end = script.hasPrefix("reset") ? RawConnection.Ending.reset : .closed
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            for operation in [StandInTenant.Operation.listUsers, .currentUser] {
                try await tenant.setBehaviour(script + "/ok", for: operation)
                let path = operation == .listUsers ? "users" : "users/me"
                #expect(try await ending(tenant, apiRequest("GET", path, bearer: bearer)) == end)
                #expect(try await api(tenant, "GET", path, bearer: bearer).status == 200)
            }
        }
    }

    @Test(
        "A script that means nothing is rejected.",
        arguments: ["expires-20", "token-crlf", "narrowed", "sideways", "lost-1", "done", "half-x", "revoke-fails"]
    )
    func wrongScript(_ script: String) async throws {
        try await withStandInTenant { tenant in
            await #expect(throws: StandInTenant.Fault.self) { try await tenant.setBehaviour(script, for: .listUsers) }
            #expect(await tenant.violations == [])
        }
    }

    @Test(
        "The behaviours of the API are none of tokens.",
        arguments: ["lost", "done-500", "faster", "half", "invited", "replace-only"]
    )
    func onlyOperations(_ script: String) async throws {
        #expect(try BehaviourTable.script(ofSubject: script + ":alice") == nil)
        #expect(throws: StandInTenant.Fault.self) { try BehaviourTable.script(script) }
        #expect(throws: Never.self) { try BehaviourTable.script(ofOperation: script) }
        #expect(BehaviourTable.help.contains("  " + (script.split(separator: "-500").first ?? "")))
    }

    @Test("A reset of the counters begins the scripts of operations anew.")
    func reset() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            try await tenant.setBehaviour("status-500/ok", for: .listGroups)
            var statuses: [Int] = []
            for number in 0..<4 {
                if number == 2 { await tenant.resetCounters() }
                statuses.append(try await api(tenant, "GET", "groups", bearer: bearer).status)
            }
            #expect(statuses == [500, 200, 500, 200])
            #expect(await tenant.callCount(.listGroups) == 2)
        }
    }

    @Test("A redirect to another server that is followed with the token is noted.")
    func redirect() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let bearer = try await clientToken(tenant)
            let port = try #require(URL(string: tenant.otherOriginURL)?.port)
            _ = try await withConnection(to: tenant, port: port) { connection in
                connection.send(apiRequest("GET", "users", bearer: bearer))
                return try await connection.reply()
            }
            #expect(await tenant.counters.redirectsFollowed == 1)
            #expect(await tenant.requests.last?.carriedSecret == true)
        }
    }
}
