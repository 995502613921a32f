import FleetProtocol
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

    @Test("A value or a generation that is far ahead is a miss, and the next token is found again.")
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
            #expect(isNear(try await machine.mint(key, "second")))
            let answer = try #require(try await machine.drop(FleetDrop(.user(key.user, nil), .eviction)))
            #expect(isNear(answer.fence))
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

    /// A key, and a script that writes to it.
    struct Damage: Sendable, CustomTestStringConvertible {
        var suffix: String
        var script: String

        var testDescription: String { "\(suffix): \(script)" }

        init(_ suffix: String, _ script: String) { (self.suffix, self.script) = (suffix, script) }

        /// Another type, for each key that may be one.
        static let otherType = "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'x')"

        static func text(_ text: String) -> String { "redis.call('SET', KEYS[1], \(text))" }
    }

    private func damage(_ damage: Damage, _ engine: EngineServer) throws {
        let name =
            damage.suffix == ":machines"
            ? "tokencached:machines" : try name(":fence", engine).dropLast(6) + damage.suffix
        try engine.run("EVAL", damage.script, "1", String(name))
    }

    /// Lets two machines share a user's token, and one drop it, which the other one is told.
    private func share(_ user: String, _ machines: [TestMachine]) async throws {
        try await machines[0].mint(TestFleet.key(user), "secret")
        let drop = FleetDrop(.user(TestFleet.key(user).user, nil), .eviction)
        #expect(try await machines[0].drop(drop) != nil)
        #expect(try await machines[1].dropped().0 == drop)
    }

    @Test(
        "A key with another type or a number that is none counts as gone, and no call fails.",
        arguments: [
            Damage(":bucket", Damage.otherType), Damage(":bucket", "redis.call('HSET', KEYS[1], 'level', '-1e300')"),
            Damage(":bucket", "redis.call('HSET', KEYS[1], 'level', 'nan', 'at', '-inf')"),
            Damage(":hold", Damage.otherType), Damage(":fence", Damage.otherType),
            Damage(":fence", Damage.text("'-inf'")),
            Damage(":generation", Damage.otherType), Damage(":generation", Damage.text("'9000000000000000'")),
            Damage(":generation", Damage.text("'inf'")), Damage(":generation", Damage.text("'text'")),
            Damage(":count", Damage.otherType), Damage(":count", Damage.text("'text'")),
            Damage(":count", Damage.text("'-9000000000000000000'")),
            Damage(":count", Damage.text("'9223372036854775807'")),
            Damage(":machines", Damage.otherType),
        ]
    )
    func key(damage: Damage) async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            try await share("ann", machines)
            try self.damage(damage, engine)
            try await machines[0].mint(TestFleet.key("bob"), "secret")
            try engine.run("CLIENT", "KILL", "TYPE", "normal")
            for machine in machines { _ = try await machine.connected() }
            try await share("cid", machines)
            for machine in machines {
                #expect(machine.store.status.failed.allSatisfy { $0.key == .connectionLost || $0.key == .malformed })
            }
        }
    }

    @Test("A user's keys with other types or too much in them are misses.", arguments: ["v", "l", "r", "g", "u", "i"])
    func user(kind: String) async throws {
        let engine = try EngineServer()
        let long = "redis.call('SET', KEYS[1], string.rep('1', 20) .. ' ' .. string.rep('x', 2000000), 'PX', 60000)"
        let epoch =
            "local v = redis.call('GET', KEYS[1]) "
            + "redis.call('SET', KEYS[1], v .. string.rep('x', 2000000), 'PX', 60000)"
        let names =
            "redis.call('DEL', KEYS[1]) "
            + "for n = 1, 2000 do redis.call('SADD', KEYS[1], string.rep('x', 2000) .. n) end"
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            for script in [Damage.otherType, long] + (kind == "v" ? [epoch] : kind == "i" ? [names] : []) {
                try await machines[0].mint(key, "first", newerThan: FleetFence(.max))
                let value = try engine.run("KEYS", "*:v:*")
                let isOfUser = kind == "u" || kind == "i"
                let user = try engine.run("KEYS", "*:i:*").split(separator: ":").last ?? ""
                let hash = isOfUser ? user : value.split(separator: ":").last ?? ""
                let name = try name(":fence", engine).dropLast(6) + ":\(kind):" + hash
                try engine.run("EVAL", script, "1", String(name))
                let drop = FleetDrop(.user(key.user, nil), .eviction)
                _ = try await machines[1].look(TestFleet.peek(key))
                #expect(try await machines[1].drop(drop) != nil)
                #expect(try await machines[0].dropped().0 == drop)
                try await machines[1].mint(key, "second")
            }
            for machine in machines { #expect(machine.store.status.failed.isEmpty) }
        }
    }

    @Test("A hold's cause and a machine's note that are very long fail no call.")
    func long() async throws {
        let engine = try EngineServer()
        try await withMachines(presenceInterval: .milliseconds(20)) { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            try await share("ann", machines)
            let note =
                "redis.call('ZADD', KEYS[1], 'inf', 'y') "
                + "redis.call('ZADD', KEYS[1], redis.call('TIME')[1] * 1000, string.rep('x', 2000000))"
            try damage(Damage(":machines", note), engine)
            let cause = "redis.call('SET', KEYS[1], string.char(255) .. string.rep('x', 2000000), 'PX', 1)"
            try damage(Damage(":hold", cause), engine)
            try await share("bob", machines)
            try await until("both are counted") { machines.allSatisfy { $0.store.status.machines == 2 } }
            for machine in machines { #expect(machine.store.status.failed.isEmpty) }
        }
    }

    @Test(
        "Events that can't be read count as lost, and those after them are told.",
        arguments: [
            Damage(":events", Damage.otherType),
            Damage(":events", "redis.call('XADD', KEYS[1], '*', 'n', 1, 'p', string.rep('x', 2000000))"),
            Damage(":events", "redis.call('XADD', KEYS[1], '18446744073709551615-18446744073709551615', 'n', 1)"),
            Damage(":events", "redis.call('XADD', KEYS[1], '9300000000000000000-0', 'n', 1)"),
            Damage(":events", "redis.call('XADD', KEYS[1], '9000000000000-0', 'n', 1) redis.call('DEL', KEYS[1])"),
            Damage(
                ":events",
                "redis.call('XADD', KEYS[1], '*', 'n', '9007199254740990', 'f', 0, 'm', 'm', 'k', 'd', 'p', '')"
            ),
            Damage(":count", Damage.text("'9007199254740990'")), Damage(":count", "redis.call('DEL', KEYS[1])"),
        ]
    )
    func events(damage: Damage) async throws {
        let engine = try EngineServer()
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            try await share("ann", machines)
            try self.damage(damage, engine)
            let drop = FleetDrop(.user(TestFleet.key("bob").user, nil), .eviction)
            try await until("it is noted") { try await machines[0].drop(drop) != nil }
            let told = await machines[1].recorder.next { event in
                switch event {
                case .happened(.eventsLost), .happened(.dropped): true
                default: false
                }
            }
            #expect(told != nil)
            // Until each has taken note of the damage, which may be after a drop or two.
            for user in ["cid", "dan", "eve"] {
                let drop = FleetDrop(.user(TestFleet.key(user).user, nil), .eviction)
                try await until("it is noted") { try await machines[0].drop(drop) != nil }
                try await until("the machines are connected") { machines.allSatisfy(\.store.status.isConnected) }
            }
            let last = FleetDrop(.user(TestFleet.key("fin").user, nil), .eviction)
            try await until("it is told") {
                _ = try await machines[0].drop(last)
                return machines[1].recorder.history.contains { event in
                    if case .happened(.dropped(last, _)) = event { true } else { false }
                }
            }
        }
    }

    @Test("An engine whose clock shows no time that can be is away until it does.")
    func clock() async throws {
        let time = Int64(Date().timeIntervalSince1970 * 1_000)
        let clock = try EngineClock(time)
        let engine = try EngineServer(clock: clock)
        try await withMachines(1) { machines in
            let machine = machines[0]
            try await machine.connect(engine.settings())
            try clock.set(EngineScript.latestTime + 1)
            try await until("the circuit is open") {
                _ = try await machine.look(TestFleet.peek(key))
                return machine.store.status.isCircuitOpen
            }
            try clock.set(time + 1_000)
            try await until("it is connected") { machine.store.status.isConnected }
            #expect(isNear(try await machine.mint(key, "secret")))
        }
    }

    @Test("After a moment at which the engine's clock was ahead, later fences are above all that a machine has heard.")
    func clockAhead() async throws {
        let time = Int64(Date().timeIntervalSince1970 * 1_000)
        let clock = try EngineClock(time + 3_600_000)
        let engine = try EngineServer(clock: clock)
        try await withMachines { machines in
            for machine in machines { try await machine.connect(engine.settings()) }
            guard let heard = try await machines[1].look(TestFleet.peek(key)).limits?.time else {
                throw TestFailure("no time")
            }
            #expect(heard.number >= time + 3_600_000)
            try clock.set(time)
            try engine.run("CLIENT", "KILL", "TYPE", "normal")
            for machine in machines { _ = try await machine.connected() }
            let answer = try #require(try await machines[0].drop(FleetDrop(.user(key.user, nil), .eviction)))
            #expect(answer.fence > heard)
        }
    }

    @Test("An engine that lets machines connect and not read is left alone for a while.")
    func unreadable() async throws {
        let engine = try EngineServer()
        try await withMachines(1) { machines in
            try engine.run("ACL", "SETUSER", "default", "-xread")
            try machines[0].store.apply(engine.settings(), tenants: [TestFleet.tenant: TestFleet.settings()])
            try await until("the circuit is open") { machines[0].store.status.isCircuitOpen }
            #expect(machines[0].store.status.failed[.forbidden] == 5)
            try engine.run("ACL", "SETUSER", "default", "+xread")
            _ = try await machines[0].connected()
        }
    }
}
