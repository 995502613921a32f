import Glibc

/// The time since the start of the live screen, and that of the wall clock.
struct TopClock: Sendable {
    private let start = ContinuousClock.now

    /// The time since the start.
    var now: Duration { ContinuousClock.now - start }

    /// The local time of day, such as `14:03:59`.
    var timeOfDay: String {
        var seconds = time(nil)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return "" }
        let numbers = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
        return numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
