import FleetStore
import TestSupport
import Testing
import TokenCache

@Suite("An engine that was a replica for a time")
struct EngineTermTests {
    private let key = TestFleet.key()

    private func process(_ epoch: String) -> Substring { epoch.prefix { $0 != "-" } }

    @Test("A process that is promoted again is another epoch, in which nothing old is found.")
    func promoted() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            let machine = machines[0]
            let epoch = try await machine.connect(engine.settings())
            try await machine.mint(key, "secret")
            try engine.run("REPLICAOF", "127.0.0.1", "1")
            try await machine.disconnected()
            try engine.run("REPLICAOF", "NO", "ONE")
            let later = try await machine.connected()
            #expect(later != epoch)
            #expect(process(later) == process(epoch))
            #expect(try engine.run("KEYS", "*:v:*") != "")
            #expect(try await machine.look(TestFleet.peek(key)).outcome == .nothing)
        }
    }

    @Test("A promotion that no connection has noticed is found out at the next look at the identity.")
    func unnoticed() async throws {
        let engine = try EngineServer(["--enable-debug-command", "yes"])
        try await withMachines(2, presenceInterval: .milliseconds(20)) { machines in
            let machine = machines[0]
            let epoch = try await machine.connect(engine.settings())
            try await machines[1].connect(engine.settings())
            try await machine.mint(key, "secret")
            _ = try await machines[1].drop(FleetDrop(.user(TestFleet.key("bob").user, nil), .eviction))
            _ = try await machine.dropped()
            try engine.run("DEBUG", "CHANGE-REPL-ID")
            try await machine.disconnected()
            _ = try await machine.dropped()
            let later = try await machine.connected()
            #expect(later != epoch)
            #expect(process(later) == process(epoch))
            #expect(try await machine.look(TestFleet.peek(key)).outcome == .nothing)
        }
    }
}
