import FleetStore
import TestSupport
import Testing
import TokenCache

@Suite("Leases that no mint ends")
struct LeaseTests {
    private let key = TestFleet.key()

    private func take(_ machine: TestMachine) async throws -> FleetFence {
        guard case .go(let fence) = try await machine.look(TestFleet.claim(key, nonce: 1)).outcome else {
            throw TestFailure("no lease")
        }
        return fence
    }

    private func isFree(_ machine: TestMachine) async throws -> Bool {
        if case .go = try await machine.look(TestFleet.claim(key, nonce: 2)).outcome { true } else { false }
    }

    @Test("A machine that ends gives its leases back.")
    func shutDown() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            _ = try await take(machines[0])
            #expect(try await !isFree(machines[1]))
            await machines[0].store.shutDown()
            try await machines[1].happened(.changed(key))
            #expect(try await isFree(machines[1]))
        }
    }

    @Test("A machine that moves to another engine gives its leases at the old one back.")
    func moved() async throws {
        let (old, new) = (try EngineServer(), try EngineServer())
        try await withMachines { machines in
            for machine in machines { try await machine.connect(old.settings()) }
            _ = try await take(machines[0])
            try await machines[0].connect(new.settings())
            try await machines[1].happened(.changed(key))
            #expect(try await isFree(machines[1]))
        }
    }

    @Test("A tenant that is removed gives its leases back.")
    func removed() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            _ = try await take(machines[0])
            try machines[0].store.apply(engine.settings(), tenants: [:])
            try await machines[1].happened(.changed(key))
            #expect(try await isFree(machines[1]))
        }
    }

    @Test("A token that couldn't be stored leaves no lease behind when the engine answers again.")
    func failedStore() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            let fence = try await take(machines[0])
            // The script's first change is refused.
            try engine.run("ACL", "SETUSER", "default", "-del")
            let lease = FleetLease(nonce: 1, fence: fence)
            machines[0].store.perform(.store(key, lease, TestFleet.token("secret", fence: fence)))
            try await machines[0].disconnected()
            try engine.run("ACL", "SETUSER", "default", "+del")
            try await machines[1].happened(.changed(key))
            #expect(try await isFree(machines[1]))
        }
    }
}
