import FleetStore
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("Drops on several machines")
struct SharedDropTests {
    private let key = TestFleet.key()

    @Test("A logout takes the user's tokens out, tells the other machines, and refuses what an older mint brings.")
    func logout() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            let (one, other) = (machines[0], machines[1])
            let epoch = try await one.connect(engine.settings())
            try await other.connect(engine.settings())
            try await one.mint(key, "first")
            try await one.mint(TestFleet.key(scopes: "admin"), "second")
            try await one.mint(TestFleet.key("bob"), "third")
            guard
                case .go(let late) = try await one.look(TestFleet.claim(TestFleet.key(scopes: "late"), nonce: 9))
                    .outcome
            else { throw TestFailure("no lease") }
            let drop = FleetDrop(.user(key.user, nil), .logout(revoked: [TestFleet.token("mine").token.fingerprint]))
            let answer = try #require(try await other.drop(drop))
            #expect(answer.epoch == epoch)
            #expect(answer.fence > late)
            #expect(Set(answer.tokens.map(\.key)) == [key, TestFleet.key(scopes: "admin")])
            #expect(
                Set(answer.tokens.map(\.token.token.fingerprint))
                    == Set(["first", "second"].map { TestFleet.token($0).token.fingerprint })
            )
            let (seen, fence) = try await one.dropped()
            #expect(seen == drop)
            #expect(fence == answer.fence)
            let lease = FleetLease(nonce: 9, fence: late)
            one.store.perform(.store(TestFleet.key(scopes: "late"), lease, TestFleet.token("late", fence: late)))
            #expect(try await one.look(TestFleet.peek(TestFleet.key(scopes: "late"))).outcome == .nothing)
            #expect(try await one.look(TestFleet.peek(key)).outcome == .nothing)
            guard case .found = try await other.look(TestFleet.peek(TestFleet.key("bob"))).outcome else {
                throw TestFailure("another user's token is gone")
            }
        }
    }

    @Test("A drop comes before a later look, also where the engine has forgotten the scripts.")
    func order() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings())
            try await machine.mint(key, "first")
            try engine.run("SCRIPT", "FLUSH")
            guard case .found = try await machine.look(TestFleet.peek(key)).outcome else {
                throw TestFailure("no token")
            }
            machine.store.perform(.drop(FleetDropID(1), FleetDrop(.user(key.user, nil), .eviction)))
            #expect(try await machine.look(TestFleet.peek(key)).outcome == .nothing)
        }
    }

    @Test("Many tokens of a user are taken out by several calls.")
    func many() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            var settings = TestFleet.settings()
            settings.burst = 40
            try await machines[0].connect(engine.settings(), [TestFleet.tenant: settings])
            let keys = (0..<31).map { TestFleet.key(scopes: "scope\($0)") }
            for key in keys { try await machines[0].mint(key, "token of \(key.scopes.text)") }
            let drop = FleetDrop(.user(key.user, nil), .logout(revoked: []))
            let answer = try #require(try await machines[0].drop(drop))
            #expect(answer.tokens.count == 31)
            #expect(Set(answer.tokens.map(\.key)) == Set(keys))
        }
    }

    @Test("A drop of certain scopes leaves the user's other tokens alone, and an eviction returns nothing to revoke.")
    func scopes() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            try await machines[0].mint(key, "first")
            try await machines[0].mint(TestFleet.key(scopes: "admin"), "second")
            let drop = FleetDrop(.user(key.user, key.scopes), .eviction)
            let answer = try #require(try await machines[0].drop(drop))
            #expect(answer.tokens.isEmpty)
            #expect(try await machines[1].dropped().0 == drop)
            #expect(try await machines[1].look(TestFleet.peek(key)).outcome == .nothing)
            guard case .found = try await machines[1].look(TestFleet.peek(TestFleet.key(scopes: "admin"))).outcome
            else {
                throw TestFailure("the other token is gone")
            }
        }
    }

    @Test("A report drops the token with that fingerprint, and no later one.")
    func reported() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            try await machines[0].mint(key, "first")
            let other = FleetDrop(.reported(key, TestFleet.token("other").token.fingerprint), .eviction)
            _ = try await machines[0].drop(other)
            #expect(try await machines[1].dropped().0 == other)
            guard case .found = try await machines[1].look(TestFleet.peek(key)).outcome else {
                throw TestFailure("it was another token")
            }
            let first = FleetDrop(.reported(key, TestFleet.token("first").token.fingerprint), .eviction)
            _ = try await machines[0].drop(first)
            #expect(try await machines[1].dropped().0 == first)
            #expect(try await machines[1].look(TestFleet.peek(key)).outcome == .nothing)
        }
    }

    @Test("A flush drops all of a tenant. A repeated drop keeps its fence.")
    func flush() async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            try await machines[0].mint(key, "first")
            var drop = FleetDrop(.tenant(TestFleet.tenant), .eviction)
            let answer = try #require(try await machines[0].drop(drop))
            #expect(try await machines[1].dropped().1 == answer.fence)
            #expect(try await machines[1].look(TestFleet.peek(key)).outcome == .nothing)
            try await machines[0].mint(key, "second")
            drop.fence = answer.fence
            _ = try await machines[0].drop(drop)
            #expect(try await machines[1].dropped().1 == answer.fence)
            guard case .found = try await machines[1].look(TestFleet.peek(key)).outcome else {
                throw TestFailure("a later token was dropped")
            }
        }
    }
}
