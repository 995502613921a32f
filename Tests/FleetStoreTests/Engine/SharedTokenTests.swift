import FleetStore
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("Tokens of several machines")
struct SharedTokenTests {
    private let key = TestFleet.key()

    private func withFleet(_ body: (TestMachine, TestMachine, EngineServer) async throws -> Void) async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            try await body(machines[0], machines[1], engine)
        }
    }

    @Test("One machine mints, and the other waits and gets the token.")
    func share() async throws {
        try await withFleet { one, other, _ in
            let nonce: UInt64 = 7
            let answer = try await one.look(TestFleet.claim(key, nonce: nonce))
            guard case .go(let fence) = answer.outcome else { throw TestFailure("\(answer)") }
            #expect(answer.limits?.level == 9)
            guard case .wait(let left) = try await other.look(TestFleet.claim(key, nonce: 8)).outcome else {
                throw TestFailure("no wait")
            }
            #expect(left <= .seconds(60) && left > .seconds(1))
            let token = TestFleet.token("secret", fence: fence)
            one.store.perform(.store(key, FleetLease(nonce: nonce, fence: fence), token))
            try await other.happened(.changed(key))
            let before = ContinuousClock.now
            guard case .found(let found) = try await other.look(TestFleet.claim(key, nonce: 8)).outcome else {
                throw TestFailure("no token")
            }
            #expect(found.token.accessToken == token.token.accessToken)
            #expect(found.token.scope == "user_default")
            #expect(found.fence == fence)
            #expect(found.lifetime == .seconds(3_600))
            #expect(found.expiry <= token.expiry && found.expiry > before, "no machine's clock is needed")
        }
    }

    @Test("A token with too little time left, or an old fence, is not found.")
    func demands() async throws {
        try await withFleet { one, other, _ in
            let fence = try await one.mint(key, "secret")
            try await other.happened(.changed(key))
            var look = TestFleet.peek(key)
            look.minLeft = .seconds(3_601)
            #expect(try await other.look(look).outcome == .nothing)
            look.minLeft = .zero
            look.newerThan = fence
            #expect(try await other.look(look).outcome == .nothing)
            look.newerThan = FleetFence(fence.number - 1)
            guard case .found = try await other.look(look).outcome else { throw TestFailure("no token") }
            #expect(try await other.look(TestFleet.peek(TestFleet.key("bob"))).outcome == .nothing)
            #expect(try await other.look(TestFleet.peek(TestFleet.key(scopes: "other"))).outcome == .nothing)
        }
    }

    @Test("A denial by the tenant is known to all.")
    func refused() async throws {
        try await withFleet { one, other, _ in
            _ = try await one.look(TestFleet.claim(key, nonce: 7))
            let upstream = ErrorReply.Upstream(status: 403, code: "E-1", title: "No such user")
            let refusal = FleetRefusal(upstream, left: .seconds(30))
            one.store.perform(.release(key, FleetLease(nonce: 7, fence: nil), refusal))
            try await other.happened(.changed(key))
            guard case .refused(let known) = try await other.look(TestFleet.claim(key, nonce: 8)).outcome else {
                throw TestFailure("no denial")
            }
            #expect(known.upstream == upstream)
            #expect(known.left <= .seconds(30) && known.left > .zero)
            var look = TestFleet.claim(key, nonce: 8)
            look.ignoresRefusal = true
            guard case .go = try await other.look(look).outcome else { throw TestFailure("no lease") }
        }
    }

    @Test("A renewed lease stays, and a released one is free.")
    func leases() async throws {
        try await withFleet { one, other, _ in
            _ = try await one.look(TestFleet.claim(key, nonce: 7))
            one.store.perform(.renew(key, FleetLease(nonce: 7, fence: nil)))
            one.store.perform(.release(key, FleetLease(nonce: 7, fence: nil), nil))
            try await other.happened(.changed(key))
            guard case .go = try await other.look(TestFleet.claim(key, nonce: 8)).outcome else {
                throw TestFailure("no lease")
            }
        }
    }

    @Test("The rate is that of all machines, and a hold is known to all.")
    func limits() async throws {
        try await withFleet { one, other, _ in
            for left in stride(from: 9.0, through: 5.0, by: -1) {
                let answer = try await one.pay()
                #expect(answer.outcome == .go(.none))
                #expect((answer.limits?.level ?? 0) >= left)
            }
            for _ in 0..<5 { _ = try await other.pay() }
            guard case .later(let time) = try await other.pay(reserve: 5).outcome else { throw TestFailure("no limit") }
            #expect(time > .zero && time <= .seconds(6))
            one.store.perform(.hold(TestFleet.tenant, .seconds(30), .throttled))
            try await other.happened(.holdChanged(TestFleet.tenant))
            other.store.perform(.state(TestFleet.tenant))
            let event = await other.recorder.next { event in
                if case .happened(.limits(_, let limits)) = event { limits.hold != nil } else { false }
            }
            guard case .happened(.limits(_, let limits)) = event else { throw TestFailure("no limits") }
            #expect(limits.hold?.cause == .throttled)
            guard case .later = try await other.pay().outcome else { throw TestFailure("no hold") }
            one.store.perform(.hold(TestFleet.tenant, nil, .throttled))
            try await other.happened(.holdChanged(TestFleet.tenant))
        }
    }

    @Test("One machine revokes a token that several have.")
    func claims() async throws {
        try await withFleet { one, other, _ in
            let token = TestFleet.token("secret")
            let isFirst = try await one.claim(token)
            #expect(isFirst)
            #expect(try await other.claim(token) == false)
            #expect(try await other.claim(TestFleet.token("another")) == true)
        }
    }

    @Test("The machines are counted.")
    func machines() async throws {
        try await withFleet { _, other, engine in
            try await other.happened(.machines(2))
            #expect(try engine.run("ZCARD", "tokencached:machines") == "2")
            #expect(other.store.status.machines == 2)
        }
    }

    @Test("A token's life in the engine is not shortened by the time limit.")
    func life() async throws {
        try await withFleet { one, _, engine in
            try await one.mint(key, "secret")
            let left = try #require(Int(try engine.run("PTTL", try engine.run("KEYS", "*:v:*"))))
            #expect(left <= 3_600_000)
            #expect(.milliseconds(left) > .seconds(3_600) - TestTimeout.duration / 2)
        }
    }

    @Test("A script that the engine has forgotten is sent again.")
    func flushedScripts() async throws {
        try await withFleet { one, other, engine in
            try await one.mint(key, "secret")
            try engine.run("SCRIPT", "FLUSH")
            guard case .found = try await other.look(TestFleet.peek(key)).outcome else { throw TestFailure("no token") }
        }
    }

    @Test("The engine has no user, scope or token in the clear.")
    func sealed() async throws {
        try await withFleet { one, other, engine in
            try await one.mint(TestFleet.key("readable-user", scopes: "readable-scope"), "readable-token")
            let names = try engine.run("KEYS", "*")
            #expect(names.contains(":v:"))
            #expect(!names.contains("readable"))
            let values = try names.split(whereSeparator: \.isNewline).filter { $0.contains(":v:") }.map {
                try engine.run("GET", String($0))
            }
            #expect(values.count == 1)
            #expect(values.allSatisfy { !$0.contains("readable") })
            #expect(
                try !engine.run(
                    "XRANGE",
                    names.split(whereSeparator: \.isNewline).map(String.init).first { $0.hasSuffix(":events") } ?? "",
                    "-",
                    "+"
                ).contains("readable")
            )
        }
    }

    @Test("While keys are changed, each machine opens what the others seal. A machine without the key finds nothing.")
    func keys() async throws {
        let engine = try EngineServer()
        try await withMachines(3) { machines in
            try await machines[0].connect(engine.settings { $0.keys = try TestFleet.keys(1) })
            try await machines[1].connect(engine.settings { $0.keys = try TestFleet.keys(2, 1) })
            try await machines[2].connect(engine.settings { $0.keys = try TestFleet.keys(3) })
            try await machines[0].mint(key, "secret")
            try await machines[1].happened(.changed(key))
            guard case .found = try await machines[1].look(TestFleet.peek(key)).outcome else {
                throw TestFailure("the older key doesn't open")
            }
            try await until("the second key has opened it") { machines[1].store.status.keys.map(\.opened) == [0, 1] }
            #expect(try await machines[2].look(TestFleet.peek(key)).outcome == .nothing)
        }
    }

    @Test("A value that was tampered with is a miss, and counted. The token is minted again.")
    func tampered() async throws {
        try await withFleet { one, other, engine in
            try await one.mint(key, "secret")
            try await other.happened(.changed(key))
            let names = try engine.run("KEYS", "*").split(whereSeparator: \.isNewline).map(String.init)
            let name = try #require(names.first { $0.contains(":v:") })
            try engine.run("APPEND", name, "x")
            let fence = try await other.mint(key, "another")
            try await until("it is counted") { other.store.status.keys.map(\.notOpened) == [1] }
            guard case .found(let found) = try await one.look(TestFleet.peek(key)).outcome else {
                throw TestFailure("no token")
            }
            #expect(found.fence == fence)
        }
    }
}
