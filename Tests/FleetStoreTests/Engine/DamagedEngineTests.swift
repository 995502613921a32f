import FleetStore
import Foundation
import TestSupport
import Testing
import TokenCache

@Suite("An engine to whose keys somebody has written")
struct DamagedEngineTests {
    private let key = TestFleet.key()
    private let far: Int64 = 9_000_000_000_000_000

    private func name(_ suffix: String, _ engine: EngineServer) throws -> String {
        let names = try engine.run("KEYS", "*").split(whereSeparator: \.isNewline).map(String.init)
        return try #require(names.first { $0.hasSuffix(suffix) })
    }

    /// A fence that is not far ahead of the time.
    private func isNear(_ fence: FleetFence) -> Bool {
        fence.number < Int64(Date().timeIntervalSince1970 * 1_000) + 60_000
    }

    @Test("A last fence that is far ahead draws no later fence along.")
    func lastFence() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings())
            try await machine.mint(key, "first")
            try engine.run("SET", name(":fence", engine), "\(far)")
            #expect(isNear(try await machine.mint(TestFleet.key("bob"), "second")))
            let answer = try #require(try await machine.drop(FleetDrop(.user(key.user, nil), .eviction)))
            #expect(isNear(answer.fence))
            #expect(machine.store.status.failed.isEmpty)
        }
    }

    @Test("A value or a generation that is far ahead is a miss, and takes no lease. Other users are not concerned.")
    func generation() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings())
            try await machine.mint(key, "first")
            let value = try engine.run("KEYS", "*:v:*")
            let script =
                "local v = redis.call('GET', KEYS[1]) "
                + "redis.call('SET', KEYS[1], (string.gsub(v, '^(%S+) %d+', '%1 \(far)', 1)))"
            try engine.run("EVAL", script, "1", value)
            #expect(try await machine.look(TestFleet.peek(key)).outcome == .nothing)
            _ = try await machine.drop(FleetDrop(.user(key.user, nil), .eviction))
            try engine.run("SET", try engine.run("KEYS", "*:u:*"), "\(far)")
            #expect(try await machine.look(TestFleet.claim(key, nonce: 1)).outcome == .nothing)
            #expect(try engine.run("KEYS", "*:l:*") == "")
            let answer = try #require(try await machine.drop(FleetDrop(.user(key.user, nil), .eviction)))
            #expect(isNear(answer.fence))
            try await machine.mint(TestFleet.key("bob"), "second")
            #expect(machine.store.status.failed.isEmpty)
        }
    }

    @Test("An event whose fence is far ahead is counted, and told to nobody.")
    func event() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            let drop = FleetDrop(.user(key.user, nil), .eviction)
            _ = try await machines[0].drop(drop)
            #expect(try await machines[1].dropped().0 == drop)
            let script =
                "local e = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][2] "
                + "redis.call('XADD', KEYS[1], '*', 'n', 2, 'f', '\(far)', 'm', e[6], 'k', e[8], 'p', e[10])"
            try engine.run("EVAL", script, "1", name(":events", engine))
            try await until("it is counted") { machines[1].store.status.eventsNotOpened == 1 }
            let told = machines[1].recorder.events.contains { event in
                if case .happened(.dropped) = event { true } else { false }
            }
            #expect(!told)
        }
    }
}
