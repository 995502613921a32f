import FleetProtocol
import FleetStore
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("Keys that are changed while machines run")
struct KeyRotationTests {
    private let key = TestFleet.key()
    private let interval = Duration.milliseconds(20)

    private func ids(_ first: UInt8...) throws -> [String] {
        try TestFleet.keys(first.map(TestFleet.line).joined()).ids
    }

    private func change(_ machine: TestMachine, _ engine: EngineServer, _ keys: UInt8...) throws {
        let lines = keys.map(TestFleet.line).joined()
        try machine.store.apply(
            engine.settings { $0.keys = try TestFleet.keys(lines) },
            tenants: [TestFleet.tenant: TestFleet.settings()]
        )
    }

    /// Returns the names of the keys, and how many machines have them and seal with them.
    private func uses(_ machine: TestMachine) -> [String] {
        machine.store.status.keys.map { "\($0.id) \($0.machines) \($0.sealing)" }
    }

    @Test("Each machine knows who has and who seals with which key, since when all do, and who has gone.")
    func presence() async throws {
        let engine = try EngineServer()
        try await withMachines(2, presenceInterval: interval) { machines in
            let (one, other) = (machines[0], machines[1])
            let (old, new) = (try ids(1)[0], try ids(2)[0])
            try await one.connect(engine.settings { $0.keys = try TestFleet.keys(1, 2) })
            try await other.connect(engine.settings { $0.keys = try TestFleet.keys(2, 1) })
            try await until("both are known") {
                uses(one) == ["\(old) 2 1", "\(new) 2 1"]
            }
            #expect(one.store.status.settledSince == nil)
            try change(one, engine, 2, 1)
            try await until("it is settled") { other.store.status.settledSince != nil }
            #expect(uses(other) == ["\(new) 2 2", "\(old) 2 0"])
            #expect(other.store.status.machines == 2, "the earlier note is gone")
            await one.store.shutDown()
            #expect(try engine.run("ZCARD", "tokencached:machines") == "1")
        }
    }

    @Test("A token that is found under an old key is stored again under the first, once all machines seal with it.")
    func moved() async throws {
        let engine = try EngineServer()
        try await withMachines(2, presenceInterval: interval) { machines in
            let (one, other) = (machines[0], machines[1])
            try await one.connect(engine.settings { $0.keys = try TestFleet.keys(1, 2) })
            try await other.connect(engine.settings { $0.keys = try TestFleet.keys(2, 1) })
            let fence = try await one.mint(key, "secret")
            let name = try engine.run("KEYS", "*:v:*")
            try await until("the keys are known") { other.store.status.keys.allSatisfy { $0.machines == 2 } }
            guard case .found = try await other.look(TestFleet.peek(key)).outcome else { throw TestFailure("lost") }
            _ = try await other.look(TestFleet.peek(key))
            #expect(try engine.run("KEYS", "*:v:*") == name, "the other machine would move it back")
            try change(one, engine, 2, 1)
            try await until("it is settled") { other.store.status.settledSince != nil }
            guard case .found(let found) = try await other.look(TestFleet.peek(key)).outcome else {
                throw TestFailure("lost")
            }
            // Behind the move on the same connection.
            guard case .found(let again) = try await other.look(TestFleet.peek(key)).outcome else {
                throw TestFailure("lost")
            }
            let moved = try engine.run("KEYS", "*:v:*")
            #expect(moved != name && !moved.contains("\n"))
            #expect(found.fence == fence && again.fence == fence)
            #expect(again.token.fingerprint == found.token.fingerprint)
            #expect(again.expiry <= found.expiry + .milliseconds(100))
            let drop = FleetDrop(.reported(key, again.token.fingerprint), .eviction)
            _ = try await other.drop(drop)
            #expect(try await other.look(TestFleet.peek(key)).outcome == .nothing, "its mark is the new key's")
        }
    }

    @Test(
        "A drop by a machine that lacks a key is repeated under that key by those who have it.",
        arguments: [true, false]
    )
    func missing(isReport: Bool) async throws {
        let engine = try EngineServer()
        try await withMachines(3) { machines in
            let (sender, holder, late) = (machines[0], machines[1], machines[2])
            try await sender.connect(engine.settings { $0.keys = try TestFleet.keys(1) })
            for machine in [holder, late] {
                try await machine.connect(engine.settings { $0.keys = try TestFleet.keys(2, 1) })
            }
            try await holder.mint(key, "secret")
            let fingerprint = TestFleet.token("secret").token.fingerprint
            let drop = FleetDrop(isReport ? .reported(key, fingerprint) : .user(key.user, nil), .eviction)
            _ = try await sender.drop(drop)
            #expect(try await late.dropped().0 == drop)
            #expect(try await late.look(TestFleet.peek(key)).outcome == .nothing)
            #expect(try await holder.dropped().0 == drop)
            #expect(try await holder.look(TestFleet.peek(key)).outcome == .nothing)
            try await holder.mint(key, "later")
            let count = try engine.run("KEYS", "*:count")
            let events = try engine.run("GET", count)
            #expect(events == "3", "the repeats are no events, but the mints and the drop are")
            guard case .found = try await late.look(TestFleet.peek(key)).outcome else { throw TestFailure("lost") }
        }
    }
}
