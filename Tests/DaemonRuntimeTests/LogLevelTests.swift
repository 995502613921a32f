import DaemonRuntime
import Logging
import OperatorReplies
import Synchronization
import Testing
import TokenCache
import TokenProtocol

@Suite("The level of the log")
struct LogLevelTests {
    private static let start = ContinuousClock.now

    private func at(_ seconds: Int) -> Instant { Self.start + .seconds(seconds) }

    @Test("An operator's level ends exactly at its time, and a second one replaces the first.")
    func setting() {
        var setting = LogLevelSetting(.info)
        #expect(setting.current == .info)
        #expect(setting.end == nil)
        setting.set(.debug, for: .seconds(60), now: at(0))
        #expect(setting.current == .debug)
        #expect(setting.end == at(60))
        setting.set(.trace, for: .seconds(10), now: at(30))
        #expect(setting.end == at(40))
        let isTooEarly = setting.timePassed(now: at(40) - .nanoseconds(1))
        #expect(!isTooEarly && setting.current == .trace)
        let isOver = setting.timePassed(now: at(40))
        #expect(isOver && setting.current == .info && setting.end == nil)
        let isOverAgain = setting.timePassed(now: at(60))
        #expect(!isOverAgain)
    }

    @Test("Without a time it stays until a reload changes the configured level.")
    func withoutTime() {
        var setting = LogLevelSetting(.info)
        setting.set(.trace, for: nil, now: at(0))
        let isOver = setting.timePassed(now: at(1_000_000))
        #expect(!isOver && setting.isOverridden)
        let isEnded = setting.configure(.info)
        #expect(!isEnded && setting.current == .trace, "the configured level is the same as before")
        let isEndedByChange = setting.configure(.warning)
        #expect(isEndedByChange && setting.current == .warning && !setting.isOverridden)
        let isEndedTwice = setting.configure(.info)
        #expect(!isEndedTwice && setting.current == .info)
    }

    /// A control with a clock that the test moves.
    private func withControl(_ body: (LogLevelControl, RecordedLog, Clock) -> Void) {
        let (log, now) = (RecordedLog(), Clock())
        body(LogLevelControl(log.output, log: log.logger, now: { now.time.withLock { $0 } }), log, now)
    }

    private final class Clock: Sendable {
        let time = Mutex(LogLevelTests.start)
    }

    @Test("Each change is in the log, whatever the levels are, and the level is in force at once.")
    func changes() {
        withControl { control, log, now in
            log.output.level = .error
            control.configure(.error)
            #expect(log.lines.isEmpty)
            control.set(LogLevelRequest(level: .debug, duration: .seconds(60)))
            log.logger.debug("shown")
            #expect(control.check?.status == .ok)
            #expect(control.check?.description == "an operator has set the level debug for 60 s more")
            now.time.withLock { $0 += .seconds(60) }
            control.timePassed()
            log.logger.warning("hidden")
            #expect(control.check == nil)
            control.set(LogLevelRequest(level: .critical))
            #expect(control.check?.description == "an operator has set the level critical until it is set again")
            control.configure(.info)
            #expect(log.output.level == .info)
            #expect(
                log.lines == [
                    "<5>an operator has set the level of the log event=log_level_changed new_level=debug seconds=60",
                    "<7>shown",
                    "<5>the operator's level of the log has ended event=log_level_changed new_level=error",
                    "<5>an operator has set the level of the log event=log_level_changed new_level=critical",
                    "<5>another configured level has ended the operator's level of the log event=log_level_changed"
                        + " new_level=info",
                ]
            )
        }
    }

    @Test("The operation sets the level, says so in the reply and in health, and a reload of the level ends it.")
    func operation() async throws {
        try await TestDaemon.run { daemon in
            let set = #"{"op":"log_level","level":"debug","for":600}"#
            #expect(try await daemon.ask(set, admin: true).level == "debug")
            #expect(daemon.log.output.level == .debug)
            let health = try await daemon.ask(#"{"op":"health"}"#, admin: true)
            #expect(health.status == "ok")
            _ = try await daemon.token("ann")
            await daemon.log.wait(for: "a mint has ended")
            #expect(try await daemon.ask(set).error == "unsupported_op", "apps can't")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(daemon.log.output.level == .debug, "another reload leaves it")
            try daemon.configure("log: { level: warning }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(daemon.log.output.level == .warning)
            #expect(daemon.log.count("another configured level has ended the operator's level of the log") == 1)
        }
    }
}
