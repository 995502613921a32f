import Testing

@testable import FleetProtocol

@Suite("Answers of the scripts")
struct EngineAnswerTests {
    private static let names = EngineNames(
        bucket: "b",
        hold: "h",
        generation: "g",
        fence: "f",
        events: "e",
        eventCount: "c"
    )
    private static let rate = EngineRate(perMinute: 80, burst: 80)
    private static let look = EngineCall.look(
        EngineLook(names: names, token: [], epoch: "1", minLeft: 0, purpose: .peek, rate: rate)
    )
    private static let state = EngineCall.state(EngineState(names: names, rate: rate))

    private static func reply(_ word: String, _ rest: RespValue..., left: Int64 = -1) -> RespValue {
        let head: [RespValue] = [.bulk(Array(word.utf8)), .integer(9), .integer(80_000), .integer(left), .bulk([])]
        return .array(head + rest)
    }

    @Test("An answer has time, level and hold.")
    func head() throws {
        let answer = try EngineAnswer(to: Self.look, Self.reply("nothing", left: 5))
        #expect(answer == EngineAnswer(outcome: .nothing, time: 9, level: 80_000, hold: .init(left: 5, cause: "")))
    }

    @Test("An error is passed on.")
    func error() {
        #expect(throws: EngineReplyFault.error("NOSCRIPT x")) { try EngineAnswer(to: Self.look, .error("NOSCRIPT x")) }
    }

    @Test(
        "Nonsense is a fault.",
        arguments: [
            .null, .integer(1), .array([]), reply("done"), reply("lost"), reply("wait"), reply("wait", .integer(-1)),
            reply("go", .null), reply("go", .bulk(Array("1e3".utf8))), reply("token", .integer(0)),
            reply("refused", .integer(0), .integer(1), .null), reply("taken"),
        ] as [RespValue]
    )
    func malformed(reply: RespValue) {
        #expect(throws: EngineReplyFault.malformed) { try EngineAnswer(to: Self.look, reply) }
    }

    @Test("A state without its position is a fault.")
    func state() throws {
        #expect(throws: EngineReplyFault.malformed) { try EngineAnswer(to: Self.state, Self.reply("done")) }
        let reply = Self.reply("done", .bulk(Array("3".utf8)), .bulk(Array("7-0".utf8)), .bulk(Array("5".utf8)))
        #expect(try EngineAnswer(to: Self.state, reply).events == EngineAnswer.Position(count: 3, id: "7-0", fence: 5))
    }

    @Test("A fence that is days ahead of the engine's time is a fault.")
    func farAhead() throws {
        let latest = EngineAnswer.latestFence(at: 9)
        let answer = try EngineAnswer(to: Self.look, Self.reply("go", .integer(latest)))
        #expect(answer.outcome == .go(fence: latest))
        #expect(throws: EngineReplyFault.malformed) {
            try EngineAnswer(to: Self.look, Self.reply("go", .integer(latest + 1)))
        }
    }

    @Test("Each script has a hash of its own, is loaded by its text, and names its keys.")
    func commands() throws {
        #expect(Set(EngineScript.allCases.map(\.hash)).count == EngineScript.allCases.count)
        #expect(EngineScript.allCases.allSatisfy { $0.hash.count == 40 })
        let command = Self.state.command
        #expect(
            command.words.prefix(4).map { String(decoding: $0, as: UTF8.self) } == [
                "EVALSHA", EngineScript.state.hash, "6", "b",
            ]
        )
        #expect(Self.state.loadingCommand.words[1] == Array(EngineScript.state.text.utf8))
    }

    private static let entry = RespValue.array([
        .bulk(Array("7-0".utf8)),
        .array(["n", "1", "f", "5", "m", "me", "k", "d", "p", "xyz"].map { .bulk(Array($0.utf8)) }),
    ])
    private static let event = EngineEvent(
        id: "7-0",
        number: 1,
        fence: 5,
        text: EngineEventText(machine: "me", kind: "d", sealed: Array("xyz".utf8))
    )

    @Test("Events are read from RESP2 and RESP3.")
    func events() throws {
        #expect(try EngineEntries(.array([Self.entry])).events == [Self.event])
        let name = RespValue.bulk([101])
        for reply in [RespValue.array([.array([name, .array([Self.entry])])]), .map([name, .array([Self.entry])])] {
            let streams = try EngineEntries.byStream(reply)
            #expect(streams["e"]?.events == [Self.event] && streams["e"]?.lastID == "7-0")
        }
        #expect(try EngineEntries.byStream(.null) == [:])
    }

    @Test("A foreign entry is passed over, and the reader goes on behind it.")
    func foreign() throws {
        let foreign = RespValue.array([.bulk(Array("8-0".utf8)), .array([.bulk([97]), .bulk([98])])])
        let entries = try EngineEntries(.array([Self.entry, foreign]))
        #expect(entries.events == [Self.event] && entries.foreign == 1 && entries.lastID == "8-0")
    }

    @Test(
        "A reply that is no stream is a fault.",
        arguments: [.integer(1), .array([.null]), .array([.array([.null])])] as [RespValue]
    )
    func noStream(reply: RespValue) {
        #expect(throws: EngineReplyFault.malformed) { try EngineEntries(reply) }
        #expect(throws: EngineReplyFault.malformed) { try EngineEntries.byStream(reply) }
    }
}
