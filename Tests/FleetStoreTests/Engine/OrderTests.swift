import TestSupport
import Testing
import TokenCache

@testable import FleetStore

@Suite("The order of calls", .timeLimit(.minutes(3)))
struct OrderTests {
    @Test("A drop whose script the engine doesn't know yet precedes the looks behind it.")
    func dropBeforeLook() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            let (machine, other) = (machines[0], machines[1])
            let key = TestFleet.key()
            try await other.mint(key, "token-1")
            // Both looks have been made before, and no drop.
            while true {
                let answer = try await machine.look(TestFleet.peek(key))
                if case .found = answer.outcome { break }
            }
            machine.store.perform(.drop(FleetDropID(1), FleetDrop(.user(key.user, nil), .eviction)))
            let answer = try await machine.look(TestFleet.peek(key))
            #expect(answer.outcome == .nothing)
        }
    }
}
