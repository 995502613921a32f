import NIOCore
import NIOPosix
import StandInTenant
import Testing

@Suite("The stand-in as tests use it", .timeLimit(.minutes(1)))
struct StandInTenantTests {
    @Test("It listens on 127.0.0.1 and on nothing else, and names its port.")
    func address() async throws {
        try await withStandInTenant { tenant in
            #expect(tenant.baseURL == "http://127.0.0.1:\(tenant.port)")
            let status = try await mint(tenant, "alice").status
            #expect(status == 200)
            // Every address of 127.0.0.0/8 is this machine's: a socket that listened on all would accept.
            let elsewhere = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            await #expect(throws: (any Error).self) {
                try await elsewhere.connect(host: "127.0.0.2", port: tenant.port).get()
            }
        }
    }

    @Test("A port that is taken is a fault, and one that was freed isn't.")
    func takenPort() async throws {
        let first = try await StandInTenant.start()
        var configuration = StandInTenant.Configuration()
        configuration.port = first.port
        await #expect(throws: (any Error).self) { try await StandInTenant.start(configuration) }
        try await first.stop()
        try await first.stop()
        let second = try await StandInTenant.start(configuration)
        #expect(try await mint(second, "alice").status == 200)
        try await second.stop()
    }

    @Test("Several run side by side and share nothing.")
    func independence() async throws {
        try await withStandInTenant { one in
            try await withStandInTenant { other in
                try await one.setBehaviour("status-500")
                #expect(try await mint(one, "alice").status == 500)
                #expect(try await mint(other, "alice").status == 200)
                #expect(await one.mintCount(value: "alice") == 0)
                #expect(await other.mintCount(value: "alice") == 1)
                #expect(one.certificateAuthorityPEM != other.certificateAuthorityPEM)
                let token = token(try await mint(other, "bob"))
                #expect(await other.isLive(token))
                #expect(await !one.isLive(token))
            }
        }
    }

    @Test("Calls and mints are counted by field, value and scope.")
    func counting() async throws {
        try await withStandInTenant { tenant in
            let bodies = [
                mintBody("alice"), mintBody("alice"), mintBody("alice", field: "userId"), mintBody("alice", scope: nil),
                mintBody("alice", scope: "admin_classic user_default"), mintBody("status-500:bob"),
            ]
            for body in bodies { _ = try await call(tenant, request(body: body)) }
            #expect(await tenant.callCount(value: "alice") == 4)
            #expect(await tenant.mintCount(value: "alice", scope: "user_default") == 2)
            #expect(await tenant.mintCount(field: .userID, value: "alice") == 1)
            #expect(await tenant.callCount(value: "status-500:bob") == 1)
            #expect(await tenant.mintCount(value: "status-500:bob") == 0)
            let counters = await tenant.counters
            #expect(counters.calls == 6 && counters.mints == 5 && counters.connections == 6)
            #expect(counters.callsByKey[.init(value: "alice")] == 1)
            #expect(await tenant.requests.map(\.number) == [1, 2, 3, 4, 5, 6])
            #expect(await tenant.requests.last?.behaviour == "status-500")
            await tenant.resetCounters()
            #expect(await tenant.counters.calls == 0)
            #expect(await tenant.requests.isEmpty)
        }
    }

    @Test("A request without a scope is granted all of the client's.")
    func allScopes() async throws {
        try await withStandInTenant { tenant in
            let reply = try await call(tenant, request(body: mintBody("alice", scope: nil)))
            #expect(reply.json?["scope"] as? String == "user_default admin_classic")
        }
    }

    @Test("Held replies are released oldest first, and concurrent calls are counted.")
    func heldReplies() async throws {
        try await withStandInTenant { tenant in
            await tenant.holdReplies()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<3 { group.addTask { try await mint(tenant, "user-\(number)").status } }
                try await tenant.waitForHeldReplies(count: 3)
                #expect(await tenant.counters.mints == 0)
                #expect(try await control(tenant, "counters").json?["held"] as? Int == 3)
                await tenant.releaseReplies(count: 1)
                try await tenant.wait { $0.mints == 1 }
                #expect(await tenant.counters.held == 2)
                let oldest = await tenant.requests.first?.key
                #expect(await tenant.counters.mintsByKey.keys.first == oldest)
                await tenant.releaseReplies()
                for try await status in group { #expect(status == 200) }
            }
            #expect(await tenant.counters.peakConcurrency == 3)
            #expect(await tenant.counters.inProgress == 0)
            #expect(try await mint(tenant, "late").status == 200)
        }
    }

    @Test("Replies can be held for a single user.")
    func heldRepliesOfOneUser() async throws {
        try await withStandInTenant { tenant in
            await tenant.holdReplies(forValue: "alice")
            async let held = mint(tenant, "alice")
            try await tenant.waitForHeldReplies(count: 1)
            #expect(try await mint(tenant, "bob").status == 200)
            await tenant.releaseReplies()
            let status = try await held.status
            #expect(status == 200)
        }
    }

    @Test("A reply waits for the configured latency, or for its own.", arguments: ["alice", "after-80+ok:alice"])
    func latency(_ value: String) async throws {
        try await withStandInTenant { tenant in
            await tenant.setLatency(value == "alice" ? .milliseconds(80) : .zero)
            let start = ContinuousClock.now
            _ = try await mint(tenant, value)
            #expect(ContinuousClock.now - start >= .milliseconds(80))
        }
    }

    @Test("The script for the next calls takes precedence over the value's own, the subject's and the usual one.")
    func precedence() async throws {
        try await withStandInTenant { tenant in
            try await tenant.setBehaviour("status-500")
            try await tenant.setBehaviour("flap-1-502", forValue: "status-503:alice")
            try await tenant.setScript("status-418/status-404")
            var statuses: [Int] = []
            for value in ["bob", "status-503:alice", "status-503:alice", "status-503:alice", "status-503:carol", "bob"]
            {
                statuses.append(try await mint(tenant, value).status)
            }
            #expect(statuses == [418, 404, 502, 200, 503, 500])
            try await tenant.setBehaviour("ok")
            #expect(try await mint(tenant, "bob").status == 200)
        }
    }

    @Test("flap-2 fails twice for each key.")
    func flap() async throws {
        try await withStandInTenant { tenant in
            var statuses: [Int] = []
            for value in ["flap-2:a", "flap-2:b", "flap-2:a", "flap-2:a", "flap-2:b", "flap-2:b", "flap-2:a"] {
                statuses.append(try await mint(tenant, value).status)
            }
            #expect(statuses == [503, 503, 503, 200, 503, 200, 200])
            await tenant.resetCounters()
            #expect(try await mint(tenant, "flap-2:a").status == 503)
        }
    }

    @Test("A text that names no behaviour is rejected.")
    func badBehaviour() async throws {
        try await withStandInTenant { tenant in
            await #expect(throws: StandInTenant.Fault.self) { try await tenant.setBehaviour("sideways") }
            let reply = try await mint(tenant, "expires-soon:alice")
            #expect(reply.status == 400)
            #expect(await tenant.violations.count == 1)
        }
    }

    @Test("Up to five secrets are accepted at once. A removed one is denied, and breaks no rule.")
    func rotation() async throws {
        try await withStandInTenant { tenant in
            try await tenant.setSecrets(["standin-secret", "new", "c", "d", "e"])
            #expect(try await mint(tenant, "alice", secret: "new").status == 200)
            #expect(try await mint(tenant, "alice").status == 200)
            try await tenant.setSecrets(["new"])
            let refused = try await mint(tenant, "alice")
            #expect(refused.status == 401 && refused.tenantError?["code"] == "OAUTH-11")
            #expect(await tenant.counters.refusedClients == 1)
            #expect(await tenant.violations == [])
            await #expect(throws: StandInTenant.Fault.self) { try await tenant.setSecrets([]) }
            await #expect(throws: StandInTenant.Fault.self) {
                try await tenant.setSecrets(["1", "2", "3", "4", "5", "6"])
            }
            #expect(try await mint(tenant, "alice", secret: "new").status == 200)
        }
    }

    @Test("A call past the limit is rejected with the seconds that it has to wait.")
    func rateLimit() async throws {
        try await withStandInTenant { tenant in
            await tenant.setRateLimit(.init(perMinute: 1, burst: 2))
            var statuses: [Int] = []
            for _ in 0..<3 { statuses.append(try await mint(tenant, "alice").status) }
            #expect(statuses == [200, 200, 429])
            let wait = try #require(Int(try await mint(tenant, "alice").fields["retry-after"] ?? ""))
            #expect((30...60).contains(wait))
            #expect(await tenant.counters.throttled == 2)
            await tenant.setRateLimit(nil)
            #expect(try await mint(tenant, "alice").status == 200)
        }
    }

    @Test("A wait throws at its timeout, and when the stand-in stops.")
    func waits() async throws {
        try await withStandInTenant { tenant in
            await #expect(throws: StandInTenant.Fault.self) {
                try await tenant.waitForCalls(count: 1, within: .milliseconds(1))
            }
            let wait = Task { try await tenant.waitForCalls(count: 1, within: .seconds(60)) }
            try await tenant.stop()
            await #expect(throws: StandInTenant.Fault.self) { try await wait.value }
        }
    }

    @Test("A wait that is cancelled ends.")
    func cancelledWait() async throws {
        try await withStandInTenant { tenant in
            let wait = Task { try await tenant.waitForCalls(count: 1, within: .seconds(60)) }
            wait.cancel()
            await #expect(throws: CancellationError.self) { try await wait.value }
        }
    }
}
