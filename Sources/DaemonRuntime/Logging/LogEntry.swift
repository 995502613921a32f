package import Logging
import SafeText

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// One entry of the log: a constant text, and values with names.
///
/// Each form of a line is a property of its own.
package struct LogEntry: Sendable {
    /// The most bytes of a value, so that a tenant can't fill the log with one.
    private static let maxValue = 4_096

    /// One value.
    package struct Field: Sendable, Equatable {
        /// The name, of letters, digits, underscores and hyphens.
        package let name: String
        /// The value: any text, but not too long.
        package let value: String
    }

    /// The time at which it was made.
    package let time: Date
    package let level: Logger.Level
    package let message: String
    /// The values, sorted by their names.
    package let fields: [Field]

    /// Creates an entry.
    package init(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata = [:], time: Date = Date()) {
        self.time = time
        self.level = level
        self.message = message.truncated(to: Self.maxValue)
        fields = metadata.sorted { $0.key < $1.key }.map { name, value in
            Field(name: Self.name(name), value: "\(value)".truncated(to: Self.maxValue))
        }
    }

    /// The approximate size of its texts in bytes.
    var size: Int { fields.reduce(message.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count } }

    /// The time in UTC, to the millisecond.
    var timestamp: String {
        time.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
    }

    /// Returns a name that can be a key in every form, and is none of the form's own.
    private static func name(_ name: String) -> String {
        let isOwn = ["time", "level", "msg"].contains(name)
        let clean = String(name.unicodeScalars.map { isPlain($0) ? Character($0) : "_" })
        return isOwn || clean.isEmpty ? clean + "_" : clean
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isASCII else { return false }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_" || scalar == "-"
    }
}
