import DaemonRuntime
import Dispatch
import Logging
import Synchronization
import Testing

@Suite("The daemon's log")
struct LogOutputTests {
    @Test("If the journal reads standard error, each line begins with syslog's number of its level.")
    func priorities() {
        let log = RecordedLog()
        log.output.level = .trace
        for level in Logger.Level.allCases { log.logger.log(level: level, "a line") }
        #expect(log.lines == [7, 7, 6, 5, 4, 3, 2].map { "<\($0)>a line" })
    }

    @Test("Only lines of the output's level and above are written, and a change of it holds for every logger.")
    func levels() {
        let log = RecordedLog()
        log.logger.debug("hidden")
        log.logger.info("shown")
        log.output.level = .debug
        log.logger.debug("shown, too")
        log.output.level = .error
        log.logger.warning("hidden")
        #expect(log.lines == ["<6>shown", "<7>shown, too"])
    }

    @Test("Values are sorted by their keys. Spaces cause quotes, and control characters are escaped.")
    func values() {
        let log = RecordedLog()
        log.logger.info("a line", metadata: ["b": "two words", "a": "1", "c": "", "d": "x\n<0>y\u{1B}[31m"])
        #expect(log.lines == [#"<6>a line a=1 b="two words" c="" d="x\u000a<0>y\u001b[31m""#])
    }

    @Test("Lines beyond the bound are dropped, and their number is in the log, even if no line follows.")
    func dropped() {
        let lines = Mutex<[String]>([])
        let gate = DispatchSemaphore(value: 0)
        var surroundings = LogForm.Surroundings()
        surroundings.standardErrorIsJournal = true
        // Each line waits for the gate, and counts for 512 bytes and its own.
        let sink = LogOutput.Sink { text in
            gate.wait()
            lines.withLock { $0.append(text) }
            return true
        }
        let output = LogOutput(in: surroundings, bound: 1_200, to: sink)
        var written: [String] { lines.withLock { $0 } }
        for number in 0..<5 { output.write(LogEntry(.info, "line \(number)")) }
        #expect(output.droppedLines == 3)
        for _ in 0..<10 { gate.signal() }
        output.flush()
        #expect(written == ["<6>line 0\n", "<6>line 1\n", "<4>log lines were dropped count=3\n"])
        output.write(LogEntry(.info, "later"))
        output.flush()
        #expect(written.last == "<6>later\n", "the number is written once")
        #expect(output.droppedLines == 3)
    }
}
