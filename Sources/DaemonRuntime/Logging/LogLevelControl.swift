package import Logging
package import OperatorReplies
package import Reactor
package import TokenCache
package import TokenProtocol

/// Keeps the log's level, and ends an operator's level at its time, on the reactor.
package final class LogLevelControl {
    private var setting: LogLevelSetting
    private let output: LogOutput
    private let log: Logger
    private let now: @Sendable () -> Instant
    private var timer: ReactorTimer?

    /// Creates a control of an output's level.
    ///
    /// - Parameter now: The clock that goes on while the machine is suspended.
    package init(_ output: LogOutput, log: Logger, now: @escaping @Sendable () -> Instant = { ContinuousClock.now }) {
        setting = LogLevelSetting(output.level)
        self.output = output
        self.log = log
        self.now = now
    }

    /// Creates a control with a timer on a reactor, on whose thread it is used.
    package convenience init(_ output: LogOutput, log: Logger, on reactor: Reactor) {
        self.init(output, log: log)
        timer = ReactorTimer(on: reactor) { [weak self] in self?.timePassed() }
    }

    /// Sets an operator's level.
    package func set(_ request: LogLevelRequest) {
        let level = Logger.Level(request.level)
        setting.set(level, for: request.duration, now: now())
        var metadata: Logger.Metadata = [
            LogKey.event: "\(LogEventName.levelChanged.rawValue)", LogKey.newLevel: "\(level)",
        ]
        if let duration = request.duration { metadata[LogKey.seconds] = "\(duration.components.seconds)" }
        change("an operator has set the level of the log", metadata)
    }

    /// Sets the configured level.
    package func configure(_ level: Logger.Level) {
        guard setting.configure(level) else { return apply() }
        change("another configured level has ended the operator's level of the log", ended)
    }

    /// Handles the timer.
    package func timePassed() {
        guard setting.timePassed(now: now()) else { return schedule() }
        change("the operator's level of the log has ended", ended)
    }

    /// The check for `health`, or nil if the configured level is in force.
    package var check: HealthReply.Check? {
        guard setting.isOverridden else { return nil }
        let left = setting.end.map { "for \(max(.zero, $0 - now()).asRetryAfter) s more" } ?? "until it is set again"
        return HealthReply.Check(
            name: "log",
            tenant: nil,
            status: .ok,
            description: "an operator has set the level \(setting.current) \(left)"
        )
    }

    /// Cancels the timer.
    func stop() { timer?.schedule(at: nil) }

    private var ended: Logger.Metadata {
        [LogKey.event: "\(LogEventName.levelChanged.rawValue)", LogKey.newLevel: "\(setting.current)"]
    }

    /// Puts the level into force, and logs that whatever the level.
    private func change(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        // Neither the level before nor the one after may hide the change.
        output.level = min(output.level, .notice)
        log.notice(message, metadata: metadata)
        apply()
    }

    private func apply() {
        output.level = setting.current
        schedule()
    }

    private func schedule() { timer?.schedule(at: setting.end) }
}

@available(*, unavailable)
extension LogLevelControl: Sendable {}

extension Logger.Level {
    /// The level of a request.
    init(_ level: LogLevelRequest.Level) {
        self =
            switch level {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            case .critical: .critical
            }
    }
}
