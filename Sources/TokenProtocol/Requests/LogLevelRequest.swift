/// A request for another level of the log.
package struct LogLevelRequest: Sendable, Equatable {
    /// A level by its name on the wire.
    package enum Level: String, Sendable, CaseIterable {
        case trace
        case debug
        case info
        case notice
        case warning
        case error
        case critical
    }

    /// The level.
    package var level: Level
    /// The time after which the configured level is in force again, or nil for none.
    package var duration: Duration?

    /// Creates a request.
    package init(level: Level, duration: Duration? = nil) {
        self.level = level
        self.duration = duration
    }
}
