import ArgumentParser
import TokenCacheClient

/// A duration on the command line, as in the configuration: a number of seconds, or a number that `s`, `m` or `h` follows.
package struct DurationArgument: ExpressibleByArgument, Equatable, Sendable {
    /// The duration.
    package let duration: Duration

    /// Creates a duration of a number of seconds.
    package init(seconds: Double) { duration = Duration(clampingSeconds: seconds) }

    /// Reads an argument, such as `90`, `1.5`, `90s`, `30m` or `6h`.
    package init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard digits.allSatisfy({ "0123456789.".contains($0) }), let number = Double(digits) else { return nil }
        self.init(seconds: number * (unit ?? 1))
    }
}

extension DurationArgument: CustomStringConvertible {
    /// The number of seconds.
    package var description: String {
        let seconds = duration.inSeconds
        return seconds == seconds.rounded() && seconds < 1e15 ? "\(Int(seconds))" : "\(seconds)"
    }
}
