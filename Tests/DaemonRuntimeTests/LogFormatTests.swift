import DaemonConfiguration
import DaemonRuntime
import Foundation
import Logging
import Synchronization
import Testing

@Suite("The forms of a log entry")
struct LogFormatTests {
    private static let time = Date(timeIntervalSince1970: 1_795_000_000.125)

    private static func entry(_ metadata: Logger.Metadata = [:], _ level: Logger.Level = .warning) -> LogEntry {
        LogEntry(level, "calls to the tenant fail", metadata, time: time)
    }

    private static let outage = entry([
        "tenant": "main", "reason": "the connection was refused", "seconds": "60", "event": "outage_began",
    ])

    @Test("Text has the time in UTC, the level, the message, and values in quotes unless they are one plain word.")
    func text() {
        #expect(
            Self.outage.text()
                == "2026-11-18T11:06:40.125Z warning calls to the tenant fail event=outage_began "
                + #"reason="the connection was refused" seconds=60 tenant=main"# + "\n"
        )
        let coloured = Self.entry(["tenant": "main"]).text(isColoured: true)
        #expect(
            coloured == "\u{1B}[2m2026-11-18T11:06:40.125Z\u{1B}[0m \u{1B}[33mwarning\u{1B}[0m calls to the tenant fail"
                + " \u{1B}[2mtenant=\u{1B}[0mmain\n"
        )
    }

    @Test("logfmt has the time, the level and the message as values, too.")
    func logfmt() {
        #expect(
            Self.outage.logfmt
                == #"time=2026-11-18T11:06:40.125Z level=warning msg="calls to the tenant fail" event=outage_began "#
                + #"reason="the connection was refused" seconds=60 tenant=main"# + "\n"
        )
    }

    @Test("JSON is one object a line, in which counts and times are numbers.")
    func json() throws {
        #expect(
            Self.outage.json
                == #"{"time":"2026-11-18T11:06:40.125Z","level":"warning","msg":"calls to the tenant fail","#
                + #""event":"outage_began","reason":"the connection was refused","seconds":60,"tenant":"main"}"# + "\n"
        )
        // Only what is a number by its key and its value.
        #expect(
            Self.entry(["seconds": "a minute", "tenant": "7"]).json.contains(#""seconds":"a minute","tenant":"7""#)
        )
    }

    @Test("The journal gets each value in a field with a prefix, and an id for an event that a tool may look for.")
    func journal() {
        let fields = Dictionary(Self.outage.journalFields.map { ($0.name, $0.value) }) { $1 }
        #expect(
            fields == [
                "MESSAGE": "calls to the tenant fail event=outage_began "
                    + #"reason="the connection was refused" seconds=60 tenant=main"#,
                "PRIORITY": "4", "SYSLOG_IDENTIFIER": "tokencached",
                "MESSAGE_ID": LogEventName.outageBegan.messageID, "TOKENCACHED_TENANT": "main",
                "TOKENCACHED_REASON": "the connection was refused", "TOKENCACHED_SECONDS": "60",
                "TOKENCACHED_EVENT": "outage_began",
            ]
        )
        let priorities = Logger.Level.allCases.map { Self.entry([:], $0).journalFields[1].value }
        #expect(priorities == ["7", "7", "6", "5", "4", "3", "2"])
        #expect(Self.entry(["sl-service": "x"]).journalFields.last?.name == "TOKENCACHED_SL_SERVICE")
        #expect(!Self.entry(["event": "unknown"]).journalFields.contains { $0.name == "MESSAGE_ID" })
    }

    @Test("The events' ids are 128 bits in lower-case hexadecimal digits, each another.")
    func ids() {
        let ids = LogEventName.allCases.map(\.messageID)
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.wholeMatch(of: /[0-9a-f]{32}/) != nil })
    }

    /// Values that would forge a line, a field or a terminal's code.
    private static let hostile = [
        "", "two words", #"a"quote"#, #"back\slash"#, "key=value", "x\n<0>forged", "tab\tand\rreturn", "\u{1B}[31mred",
        "zero\0byte", "\u{202E}reversed", "ünïcödé", "日本語", "no\u{A0}break", "\u{2028}line", "{\"a\":1}", "emoji 🙂",
        String(decoding: [0x61, 0xFF, 0xC3, 0x28], as: UTF8.self),
    ]

    @Test(
        "No value can end a line, control a terminal or be taken for another value, and JSON gives it back unchanged."
    )
    func hostileValues() throws {
        for value in Self.hostile {
            let entry = Self.entry(["reason": "\(value)", "tenant": "main"])
            let lines = [entry.text(), entry.logfmt, entry.json]
            for line in lines {
                #expect(line.hasSuffix("\n") && line.dropLast().allSatisfy { !$0.isNewline }, "\(line)")
                let isSafe = line.dropLast().unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
                #expect(isSafe && !line.contains("\u{202E}"), "\(line)")
                #expect(line.contains("tenant=main\n") || line.contains(#","tenant":"main"}"#))
            }
            let decoded = try JSONSerialization.jsonObject(with: Data(entry.json.utf8)) as? [String: Any]
            #expect(decoded?["reason"] as? String == value)
            // A value in quotes is a JSON string in logfmt.
            if let quoted = entry.logfmt.firstMatch(of: #/ reason=(".*") tenant=/#)?.1 {
                let text = try JSONDecoder().decode(String.self, from: Data(quoted.utf8))
                #expect(text == value)
            } else {
                #expect(entry.logfmt.contains(" reason=\(value) tenant="))
            }
            #expect(entry.journalFields.contains { $0 == ("TOKENCACHED_REASON", value) }, "its length is sent with it")
        }
    }

    @Test(
        "Every value that is not one plain word is in quotes, and no other.",
        arguments: [
            ("key=value", true), ("a b", true), (#"a"b"#, true), (#"a\b"#, true), ("", true), ("no\u{A0}break", true),
            ("/run/a,b;c[1]{x}", false), ("ünïcödé", false), ("-1.5", false),
        ]
    )
    func quotes(value: String, isQuoted: Bool) {
        let line = Self.entry(["reason": "\(value)"]).logfmt
        #expect(line.hasSuffix(isQuoted ? "\"\n" : " reason=\(value)\n"), "\(line)")
    }

    @Test("Names that are no plain word or a line's own are changed, and long values are cut.")
    func namesAndLengths() {
        let entry = Self.entry([
            "time": "a", "level": "b", "msg": "c", "x y=\n": "d", "": "e",
            "reason": "\(String(repeating: "é", count: 10_000))",
        ])
        #expect(entry.fields.map(\.name) == ["_", "level_", "msg_", "reason", "time_", "x_y__"])
        let reason = entry.fields[3].value
        #expect(reason.utf8.count == 4_096 + 3)
        #expect(reason.hasSuffix("é…"))
    }

    // MARK: The choice

    @Test("The form follows from the format, the journal and the terminal.")
    func forms() {
        var journal = LogForm.Surroundings()
        journal.standardErrorIsJournal = true
        journal.hasJournal = true
        var hidden = journal
        hidden.hasJournal = false
        var terminal = LogForm.Surroundings()
        terminal.isTerminal = true
        var plain = terminal
        plain.allowsColours = false
        let file = LogForm.Surroundings()
        func form(_ format: DaemonConfiguration.LogFormat, _ surroundings: LogForm.Surroundings) -> LogForm {
            LogForm(format, in: surroundings)
        }
        #expect(form(.automatic, journal) == .journal)
        #expect(form(.automatic, hidden) == .lines(.summary, isJournal: true))
        #expect(form(.automatic, terminal) == .lines(.text(isColoured: true), isJournal: false))
        #expect(form(.automatic, plain) == .lines(.text(isColoured: false), isJournal: false))
        #expect(form(.automatic, file) == .lines(.logfmt, isJournal: false))
        #expect(form(.journal, file) == .journal)
        #expect(form(.text, file) == .lines(.text(isColoured: false), isJournal: false))
        #expect(form(.text, journal) == .lines(.summary, isJournal: true))
        #expect(form(.json, journal) == .lines(.json, isJournal: true))
        #expect(form(.logfmt, terminal) == .lines(.logfmt, isJournal: false))
        #expect(LogForm.problem(with: .journal, in: file) == "there is no journal on this machine")
        #expect(LogForm.problem(with: .journal, in: journal) == nil)
        #expect(LogForm.problem(with: .automatic, in: file) == nil)
    }

    // MARK: The output

    /// The entries that a stand-in for the journal has taken, and the lines on standard error.
    private final class StandIn: Sendable {
        let entries = Mutex<[[String: String]]>([])
        let lines = Mutex<[String]>([])
        let takesEntries = Mutex(true)

        var sink: LogOutput.Sink {
            LogOutput.Sink(
                put: { line in
                    self.lines.withLock { $0.append(line) }
                    return true
                },
                send: { fields in
                    guard self.takesEntries.withLock({ $0 }) else { return false }
                    let entry = Dictionary(fields.map { ($0.name, $0.value) }) { $1 }
                    self.entries.withLock { $0.append(entry) }
                    return true
                }
            )
        }
    }

    @Test("Entries that the journal does not take are counted, and their number follows when it takes entries again.")
    func journalIsAway() {
        let standIn = StandIn()
        let output = LogOutput(.journal, in: LogForm.Surroundings(), to: standIn.sink)
        standIn.takesEntries.withLock { $0 = false }
        for number in 0..<3 { output.write(LogEntry(.info, "entry \(number)")) }
        output.flush()
        #expect(output.droppedLines == 3)
        #expect(standIn.lines.withLock { $0 }.isEmpty, "nothing goes elsewhere")
        standIn.takesEntries.withLock { $0 = true }
        output.write(LogEntry(.info, "later"))
        output.flush()
        let entries = standIn.entries.withLock { $0 }
        #expect(entries.map { $0["MESSAGE"] } == ["log lines were dropped count=3", "later"])
        #expect(entries.first?["TOKENCACHED_COUNT"] == "3")
        #expect(output.droppedLines == 3)
    }

    @Test("A reload changes the form of the next entry.")
    func change() {
        let standIn = StandIn()
        let output = LogOutput(.logfmt, in: LogForm.Surroundings(), to: standIn.sink)
        output.write(LogEntry(.info, "one", time: Self.time))
        output.use(.json)
        output.write(LogEntry(.info, "two", time: Self.time))
        output.flush()
        #expect(
            standIn.lines.withLock { $0 } == [
                "time=2026-11-18T11:06:40.125Z level=info msg=one\n",
                #"{"time":"2026-11-18T11:06:40.125Z","level":"info","msg":"two"}"# + "\n",
            ]
        )
    }
}
