import ArgumentParser
import Foundation
import OperatorReplies
import TestSupport
import Testing
import TokenCacheClient
import tokencachectl

@Suite("The commands of a fleet")
struct FleetTests {
    private func command(_ arguments: String) throws -> any RequestCommand {
        let parsed = try TokenCacheControl.parseAsRoot(arguments.split(separator: " ").map(String.init))
        return try #require(parsed as? any RequestCommand)
    }

    private func reply(_ fleet: String) -> Reply { Reply(Data(#"{"fleet":\#(fleet)}"#.utf8)) }

    /// A connected fleet of machines with keys, given as the machines that have each and those that seal with it.
    private func fleet(_ machines: Int, _ keys: [(Int?, Int?)], settledFor: Double? = nil) -> StatsReply.Fleet {
        var fleet = StatsReply.Fleet()
        (fleet.isConnected, fleet.machines, fleet.settledFor) = (true, machines, settledFor)
        fleet.keys = keys.enumerated().map { index, counts in
            var key = StatsReply.Fleet.Key(id: "k\(index + 1)")
            (key.machines, key.sealing) = counts
            return key
        }
        return fleet
    }

    /// A generator of the bytes 0, 1, 2 and so on.
    private struct Counter: RandomNumberGenerator {
        private var count: UInt64 = 0

        mutating func next() -> UInt64 {
            defer { count += 1 }
            return count
        }
    }

    @Test("A new key is 32 bytes in base64, and another one each time.")
    func newKey() throws {
        var counter = Counter()
        let line = FleetNewKey.key(from: &counter)
        #expect(Data(base64Encoded: line) == Data(0..<32))
        var system = SystemRandomNumberGenerator()
        #expect(FleetNewKey.key(from: &system) != FleetNewKey.key(from: &system))
        #expect(try TokenCacheControl.parseAsRoot(["fleet", "new-key"]) is FleetNewKey)
    }

    @Test("Both commands that ask the daemon ask for its statistics, on the operators' socket.")
    func requests() throws {
        for name in ["status", "rotate-check"] {
            let command = try command("fleet \(name) --admin-socket /operators")
            #expect(command.sockets.path(of: command.socket) == "/operators")
            #expect(type(of: command).name == "fleet \(name)")
        }
    }

    @Test("The state has a line for each part, and tells what does not open.")
    func status() throws {
        let text = try command("fleet status").text(
            for: reply(
                """
                {"connected":true,"since":"2026-01-02T03:04:05Z","tenants_away":0,"machines":3,"epochs":["1a2b3c4d"],
                 "circuit":"closed","hits":40,"left_to_others":5,"drops_sent":1,"drops_received":2,"calls":100,
                 "failed":{"timeout":2,"closed":1,"full":0},"events_behind":0,"settled_for":null,
                 "keys":[{"id":"aa","opened":30,"not_opened":0},{"id":"bb","opened":10,"not_opened":4}]}
                """
            )
        )
        #expect(
            text == """
                engine    connected since 2026-01-02T03:04:05Z
                machines  3 in the last minute
                process   1a2b3c4d
                tokens    40 from other machines; 5 mints left to others
                drops     1 sent, 2 received
                calls     100, failed: 1 closed, 2 timeout
                events    all read
                key 1     aa, seals and opens, 30 values opened
                key 2     bb, opens, 10 values opened, 4 that did not open
                """
        )
    }

    @Test("An engine that is away is told with the tenants, the exit status is 1, and so it is without a fleet.")
    func away() throws {
        let command = try command("fleet status")
        let away = reply(
            #"{"connected":false,"tenants_away":2,"epochs":[],"circuit":"open","keys":[],"failed":{},"events_behind":7}"#
        )
        let text = try command.text(for: away)
        #expect(text.hasPrefix("engine    away for 2 tenants\n") && text.contains("none failed; not asked for a while"))
        #expect(text.contains("events    7 not read yet"))
        #expect(try command.exitCode(after: away) == .failure)
        let none = Reply(Data("{}".utf8))
        #expect(try command.text(for: none).hasPrefix("this daemon is in no fleet"))
        #expect(try command.exitCode(after: none) == .failure)
        let connected = reply(#"{"connected":true,"epochs":[],"keys":[]}"#)
        #expect(try command.exitCode(after: connected) == .success)
    }

    @Test("Nothing is known while the engine is away, without keys, and if machines don't tell theirs.")
    func unknown() {
        var away = fleet(2, [(2, 2)])
        away.isConnected = false
        #expect(KeyRotation(away) == .unknown)
        #expect(KeyRotation(fleet(2, [])) == .unknown)
        #expect(KeyRotation(fleet(2, [(2, 2), (nil, 0)])) == .unknown && KeyRotation(fleet(2, [(2, nil)])) == .unknown)
        #expect(!KeyRotation.unknown.isSafe)
    }

    @Test("A key goes in front only when all machines have it, and the others go a token's longest life later.")
    func rotation() {
        #expect(KeyRotation(fleet(3, [(3, 3)])) == .single)
        #expect(KeyRotation(fleet(3, [(3, 3), (2, 0)])) == .missing(2) && !KeyRotation.missing(2).isSafe)
        #expect(KeyRotation(fleet(3, [(2, 2), (3, 1)])) == .missing(1))
        #expect(KeyRotation(fleet(3, [(3, 2), (3, 1)])) == .mixed)
        #expect(KeyRotation(fleet(3, [(3, 3), (3, 0)], settledFor: 86_399)) == .early(1))
        #expect(KeyRotation(fleet(3, [(3, 3), (3, 0)])) == .early(86_400))
        #expect(KeyRotation(fleet(3, [(3, 3), (3, 0)], settledFor: 86_400)) == .settled && KeyRotation.settled.isSafe)
    }

    @Test("The keys and the next step are told, with a status for scripts.")
    func rotateCheck() throws {
        let command = try command("fleet rotate-check")
        let missing = reply(
            #"{"connected":true,"machines":3,"epochs":[],"keys":[{"id":"aa","machines":3,"sealing":3},{"id":"bb","machines":1,"sealing":0}]}"#
        )
        #expect(
            try command.text(for: missing) == """
                key 1      aa, on 3 of 3 machines, 3 seal with it
                key 2      bb, on 1 of 3 machines, 0 seal with it
                next step  none yet: put key 2 behind the others on the machines that lack it, and reload
                """
        )
        #expect(try command.exitCode(after: missing) == .failure)
        let single = reply(#"{"connected":true,"epochs":[],"keys":[{"id":"aa","machines":0,"sealing":0}]}"#)
        #expect(try command.exitCode(after: single) == .success)
    }
}
