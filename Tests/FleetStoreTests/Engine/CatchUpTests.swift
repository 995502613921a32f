import FleetStore
import Foundation
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("What a machine has missed")
struct CatchUpTests {
    private let key = TestFleet.key()

    private func drop(_ user: String) -> FleetDrop { FleetDrop(.user(TestFleet.key(user).user, nil), .eviction) }

    /// The events that a machine was told, without the numbers of machines and limits.
    private func told(_ machine: TestMachine) -> [FleetEvent] {
        machine.recorder.events.compactMap { event in
            switch event {
            case .happened(.machines), .happened(.limits): nil
            case .happened(let event): event
            default: nil
            }
        }
    }

    @Test("Missed drops are told before the connection is.")
    func missed() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            let (one, other) = (machines[0], machines[1])
            for machine in machines { try await machine.connect(engine.settings()) }
            _ = try await one.drop(drop("ann"))
            #expect(try await other.dropped().0 == drop("ann"))
            try await until("the place is published") { other.store.places[TestFleet.tenant]?.count == 1 }
            let place = try #require(other.store.places[TestFleet.tenant])
            try other.store.apply(nil, tenants: [:])
            try await other.disconnected()
            _ = try await one.drop(drop("bob"))
            _ = try await one.drop(drop("cid"))
            let later = TestMachine("later")
            let epoch = try await later.connect(
                engine.settings(),
                [TestFleet.tenant: TestFleet.settings(place: place)]
            )
            #expect(place.epoch == epoch)
            let connection = later.recorder.history.firstIndex(
                of: .happened(.connected(TestFleet.tenant, epoch: epoch))
            )
            let before = later.recorder.history.prefix(connection ?? 0).count { event in
                if case .happened(.dropped) = event { true } else { false }
            }
            #expect(before == 2)
            #expect(try await later.dropped().0 == drop("bob"))
            #expect(try await later.dropped().0 == drop("cid"))
            try await until("nothing is left to read") { later.store.status.eventsBehind == 0 }
            await later.store.shutDown()
        }
    }

    @Test("Where the missed events are gone, the cache is told up to when.")
    func trimmed() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            let place = try #require(machines[1].store.places[TestFleet.tenant])
            let answer = try #require(try await machines[0].drop(drop("ann")))
            let names = try engine.run("KEYS", "*").split(whereSeparator: \.isNewline).map(String.init)
            try engine.run("XTRIM", try #require(names.first { $0.hasSuffix(":events") }), "MAXLEN", "0")
            let later = TestMachine("later")
            try await later.connect(engine.settings(), [TestFleet.tenant: TestFleet.settings(place: place)])
            let lost = await later.recorder.next { event in
                if case .happened(.eventsLost(TestFleet.tenant, _)) = event { true } else { false }
            }
            guard case .happened(.eventsLost(_, let fence)) = lost else { throw TestFailure("nothing was lost") }
            #expect(fence >= answer.fence)
            await later.store.shutDown()
        }
    }

    @Test("A fresh machine is told of no old drop.")
    func fresh() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            try await machines[0].connect(engine.settings())
            _ = try await machines[0].drop(drop("ann"))
            try await machines[1].connect(engine.settings())
            _ = try await machines[0].drop(drop("bob"))
            #expect(try await machines[1].dropped().0 == drop("bob"))
            #expect(told(machines[1]).isEmpty)
            #expect(told(machines[0]).isEmpty, "a machine is not told what it has done itself")
        }
    }

    @Test("An engine that is restarted empty is another epoch, in which nothing old is found and drops arrive again.")
    func restarted() async throws {
        var engine = try EngineServer()
        try await withMachines { machines in
            let (one, other) = (machines[0], machines[1])
            let epoch = try await one.connect(engine.settings())
            try await other.connect(engine.settings())
            try await one.mint(key, "secret")
            try await other.happened(.changed(key))
            // As if there had been many drops within a millisecond, or another clock.
            let ahead = Int64(Date().timeIntervalSince1970 * 1_000) + 3_600_000
            let names = try engine.run("KEYS", "*").split(whereSeparator: \.isNewline).map(String.init)
            try engine.run("SET", try #require(names.first { $0.hasSuffix(":fence") }), "\(ahead)")
            try await one.mint(TestFleet.key("bob"), "secret")
            engine.crash()
            try await one.disconnected()
            try await other.disconnected()
            #expect(try await one.look(TestFleet.peek(key)).outcome == .unavailable)
            engine = try EngineServer(in: engine.directory)
            #expect(try await one.connected() != epoch)
            _ = try await other.connected()
            #expect(try await one.look(TestFleet.peek(key)).outcome == .nothing)
            let later = try #require(try await one.drop(drop("ann")))
            #expect(try await other.dropped().0 == drop("ann"))
            #expect(later.fence > FleetFence(ahead), "the new process's fences don't fall below the old one's")
        }
    }

    @Test("A tenant that is added is watched, while the others go on.")
    func added() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            let (one, other) = (machines[0], machines[1])
            let second = TenantID(number: 2, name: "second")
            let tenants = [TestFleet.tenant: TestFleet.settings(), second: TestFleet.settings(of: "https://b.example")]
            for machine in machines { try await machine.connect(engine.settings()) }
            for machine in machines {
                try machine.store.apply(engine.settings(), tenants: tenants)
                _ = try await machine.connected(second)
            }
            _ = try await one.drop(FleetDrop(.tenant(second), .eviction))
            #expect(try await other.dropped().0 == FleetDrop(.tenant(second), .eviction))
            _ = try await one.drop(drop("ann"))
            #expect(try await other.dropped().0 == drop("ann"))
            #expect(told(other).isEmpty, "the first tenant was never away")
            try other.store.apply(engine.settings(), tenants: [second: TestFleet.settings(of: "https://b.example")])
            try await until("the first tenant is removed") { other.store.status.tenants.count == 1 }
            _ = try await one.drop(drop("bob"))
            _ = try await one.drop(FleetDrop(.tenant(second), .eviction))
            #expect(try await other.dropped().0 == FleetDrop(.tenant(second), .eviction))
        }
    }

    @Test("The events of many tenants with long scopes are read.")
    func large() async throws {
        let engine = try EngineServer()
        let ids = (1...16).map { $0 == 1 ? TestFleet.tenant : TenantID(number: $0, name: "t\($0)") }
        let tenants = Dictionary(uniqueKeysWithValues: ids.map { ($0, TestFleet.settings(of: "https://\($0.name)")) })
        try await withMachines { machines in
            for machine in machines {
                try machine.store.apply(engine.settings(), tenants: tenants)
                for id in ids { _ = try await machine.connected(id) }
            }
            engine.signal(SIGSTOP)
            let scope = String(repeating: "s", count: 64_000)
            let keys = ids.flatMap { id in (0..<2).map { TestFleet.key("u\($0)", scopes: scope, tenant: id) } }
            for key in keys {
                machines[0].store.perform(.release(key, FleetLease(nonce: 1, fence: nil), nil))
                machines[0].store.perform(.drop(FleetDropID(1), FleetDrop(.user(key.user, key.scopes), .eviction)))
            }
            engine.signal(SIGCONT)
            for _ in keys { _ = try await machines[1].dropped() }
            #expect(machines[1].store.status.failed.isEmpty)
        }
    }

    @Test("Events that another program has written are passed over, and counted.")
    func foreign() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            _ = try await machines[0].drop(drop("ann"))
            let names = try engine.run("KEYS", "*").split(whereSeparator: \.isNewline).map(String.init)
            let stream = try #require(names.first { $0.hasSuffix(":events") })
            try engine.run("XADD", stream, "*", "a", "b")
            try engine.run("XADD", stream, "*", "n", "2", "f", "0", "m", "x", "k", "d", "p", "malformed")
            _ = try await machines[0].drop(drop("bob"))
            #expect(try await machines[1].dropped().0 == drop("ann"))
            #expect(try await machines[1].dropped().0 == drop("bob"))
            try await until("both are counted") { machines[1].store.status.eventsNotOpened == 2 }
        }
    }
}
