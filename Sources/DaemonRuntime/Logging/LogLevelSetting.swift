package import Logging
package import TokenCache

/// The level of the log: the configured one, or another one that an operator has set.
package struct LogLevelSetting: Sendable, Equatable {
    private struct Override: Equatable {
        let level: Logger.Level
        /// The time of its end, or nil for none.
        let end: Instant?
    }

    /// The level of the configuration.
    private(set) var configured: Logger.Level
    private var override: Override?

    /// Creates a setting without an operator's level.
    package init(_ configured: Logger.Level) { self.configured = configured }

    /// The level that is in force.
    package var current: Logger.Level { override?.level ?? configured }

    /// True if an operator's level is in force.
    package var isOverridden: Bool { override != nil }

    /// The time at which the configured level is in force again, or nil if none is set.
    package var end: Instant? { override?.end }

    /// Sets an operator's level in place of an earlier one.
    ///
    /// - Parameter duration: The time after which the configured level is in force again, or nil for none.
    package mutating func set(_ level: Logger.Level, for duration: Duration?, now: Instant) {
        override = Override(level: level, end: duration.map { now + $0 })
    }

    /// Sets the configured level.
    ///
    /// - Returns: True if it is another one than before and has ended an operator's level.
    package mutating func configure(_ level: Logger.Level) -> Bool {
        guard level != configured else { return false }
        configured = level
        defer { override = nil }
        return override != nil
    }

    /// Ends an operator's level whose time is over, and returns true if there was one.
    package mutating func timePassed(now: Instant) -> Bool {
        guard let end, end <= now else { return false }
        override = nil
        return true
    }
}
