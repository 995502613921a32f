import Logging
import SafeText

/// Forms for people.
extension LogEntry {
    /// The message and the values, in one line.
    package var summary: String { fields.reduce(message.printable) { "\($0) \($1.name)=\($1.quotedValue)" } }

    /// The line for a terminal or a file: time, level, message and values.
    ///
    /// - Parameter isColoured: True if the line has a terminal's codes for colours.
    package func text(isColoured: Bool = false) -> String {
        guard isColoured else { return "\(timestamp) \(level) \(summary)\n" }
        let values = fields.map { " \(Self.faint)\($0.name)=\(Self.plain)\($0.quotedValue)" }
        return "\(Self.faint)\(timestamp)\(Self.plain) \(level.colour)\(level)\(Self.plain) "
            + "\(message.printable)\(values.joined())\n"
    }

    private static let faint = "\u{1B}[2m"
    private static let plain = "\u{1B}[0m"
}

extension LogEntry.Field {
    /// The value, in quotes and with JSON's escapes if it is anything but one plain word.
    var quotedValue: String {
        let isPlain = !value.isEmpty && value.unicodeScalars.allSatisfy(Self.isPlain)
        return isPlain ? value : value.jsonQuoted
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x21...0x7E).contains(scalar.value) && !#""=\"#.unicodeScalars.contains(scalar) }
        return !scalar.isUnsafeToPrint && !scalar.properties.isWhitespace
    }
}

extension Logger.Level {
    /// The terminal's code for the level's colour.
    fileprivate var colour: String {
        switch self {
        case .trace, .debug: "\u{1B}[2m"
        case .info: "\u{1B}[32m"
        case .notice: "\u{1B}[36m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[1;31m"
        }
    }
}
