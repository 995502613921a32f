import FleetStore
import Foundation
import Secrets
import TestSupport
import Testing
import TokenCache

@Suite("An engine that is away or refuses")
struct AbsenceTests {
    private let key = TestFleet.key()

    /// Waits until a store has failed for a reason.
    private func failed(_ fault: EngineFault, _ detail: String, _ machine: TestMachine) async throws {
        try await until("\(fault)") {
            let last = machine.store.status.lastFault
            return last?.kind == fault && last?.detail.hasPrefix(detail) == true
        }
    }

    @Test("Without settings everything is unavailable at once.")
    func none() async throws {
        try await withMachines(1) { machines in
            let claim = try await machines[0].claim(TestFleet.token("a"))
            #expect(claim, "a token is rather revoked twice than never")
            #expect(try await machines[0].look(TestFleet.peek(key)).outcome == .unavailable)
            #expect(try await machines[0].drop(FleetDrop(.tenant(TestFleet.tenant), .eviction)) == nil)
        }
    }

    @Test("A wrong password, or none, is told as such.")
    func password() async throws {
        let engine = try EngineServer(["--requirepass", "right"])
        try await withMachines(1) { machines in
            let machine = machines[0]
            try machine.store.apply(engine.settings(), tenants: [TestFleet.tenant: TestFleet.settings()])
            try await failed(.forbidden, "NOAUTH", machine)
            #expect(try await machine.look(TestFleet.peek(key)).outcome == .unavailable)
            let right = try engine.settings { $0.password = EnginePassword(AccessToken("right").bytes) }
            try await machine.connect(right)
            let wrong = try engine.settings {
                $0.username = "default"
                $0.password = EnginePassword(AccessToken("wrong").bytes)
            }
            try machine.store.apply(wrong, tenants: [TestFleet.tenant: TestFleet.settings()])
            try await machine.disconnected()
            try await failed(.forbidden, "WRONGPASS", machine)
            try await machine.connect(right)
            #expect(try await machine.look(TestFleet.peek(key)).outcome == .nothing)
        }
    }

    @Test("After five failures in a row the circuit is open.")
    func circuit() async throws {
        let directory = try TemporaryDirectory()
        try await withMachines(1) { machines in
            let url = EngineURL(address: .socket(path: directory.path("nothing")))
            let settings = FleetSettings(url: url, keys: try TestFleet.keys())
            try machines[0].store.apply(settings, tenants: [TestFleet.tenant: TestFleet.settings()])
            try await until("it is open") { machines[0].store.status.isCircuitOpen }
            #expect(machines[0].store.status.circuitOpenings == 1)
            #expect(machines[0].store.status.failed[.unreachable] == 5)
        }
    }

    @Test("An engine that has stopped costs a caller the time limit, and is used again when it goes on.")
    func stopped() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings { $0.timeout = .milliseconds(200) })
            engine.signal(SIGSTOP)
            let start = ContinuousClock.now
            while ContinuousClock.now < start + TestTimeout.duration {
                let answer = try await machine.look(TestFleet.peek(key))
                #expect(answer.outcome == .unavailable)
                if !machine.store.status.isConnected { break }
            }
            try await machine.disconnected()
            // Some may be the machine's own calls.
            try await until("three calls are counted") { machine.store.status.failed[.timeout, default: 0] >= 3 }
            #expect(try await machine.look(TestFleet.peek(key)).outcome == .unavailable)
            engine.signal(SIGCONT)
            _ = try await machine.connected()
            while try await machine.look(TestFleet.peek(key)).outcome == .unavailable {}
        }
    }

    @Test("A full engine is not connected to until it has room.")
    func full() async throws {
        let engine = try EngineServer(["--maxmemory-policy", "noeviction"])
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings())
            try engine.run("CONFIG", "SET", "maxmemory", "1")
            while try await machine.look(TestFleet.claim(key, nonce: 1)).outcome == .unavailable,
                machine.store.status.isConnected
            {}
            try await machine.disconnected()
            try await failed(.full, "", machine)
            try engine.run("CONFIG", "SET", "maxmemory", "0")
            _ = try await machine.connected()
            guard case .go = try await machine.look(TestFleet.claim(key, nonce: 1)).outcome else {
                throw TestFailure("no lease")
            }
        }
    }

    @Test("A replica is no second level, and a primary that becomes one is left at once.")
    func replica() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings())
            try engine.run("REPLICAOF", "127.0.0.1", "1")
            #expect(try await machine.look(TestFleet.claim(key, nonce: 1)).outcome == .unavailable)
            try await machine.disconnected()
            try await failed(.readOnly, "", machine)
            try engine.run("REPLICAOF", "NO", "ONE")
            _ = try await machine.connected()
        }
    }

    @Test("A shutdown answers what is under way.")
    func shutDown() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings())
            engine.signal(SIGSTOP)
            async let answer = machine.look(TestFleet.peek(key))
            await machine.store.shutDown()
            #expect(try await answer.outcome == .unavailable)
            #expect(try await machine.look(TestFleet.peek(key)).outcome == .unavailable)
            engine.signal(SIGCONT)
        }
    }

    @Test("Other settings move the machine to another engine, and calls under way end on the old one.")
    func moved() async throws {
        let (old, new) = (try EngineServer(), try EngineServer())
        try await withMachines(1) { machines in
            let machine = machines[0]
            let epoch = try await machine.connect(old.settings())
            async let answer = machine.look(TestFleet.peek(key))
            #expect(try await machine.connect(new.settings()) != epoch)
            #expect([.nothing, .unavailable].contains(try await answer.outcome))
            try await machine.mint(key, "secret")
            #expect(try old.run("DBSIZE") != "0")
            #expect(try new.run("KEYS", "*:v:*") != "")
        }
    }

    @Test("Keys can be changed without a new connection.")
    func keys() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings())
            try await machine.mint(key, "secret")
            let connections = try engine.run("INFO", "stats").split(whereSeparator: \.isNewline)
                .first { $0.hasPrefix("total_connections_received") }
            try machine.store.apply(
                engine.settings { $0.keys = try TestFleet.keys(2, 1) },
                tenants: [TestFleet.tenant: TestFleet.settings()]
            )
            guard case .found = try await machine.look(TestFleet.peek(key)).outcome else { throw TestFailure("lost") }
            #expect(connections != nil)
            #expect(machine.store.status.isConnected)
        }
    }

    @Test("A database other than the first is used.")
    func database() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            try await machines[0].connect(engine.settings { $0.url.database = 3 })
            try await machines[0].mint(key, "secret")
            _ = try await machines[0].look(TestFleet.peek(key))
            #expect(try engine.run("DBSIZE") == "0")
        }
    }
}
