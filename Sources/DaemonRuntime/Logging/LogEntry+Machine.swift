import Logging
import SafeText

/// Forms for programs.
extension LogEntry {
    /// The line in logfmt: `time=… level=… msg="…" key=value`.
    package var logfmt: String {
        let own = [
            Field(name: "time", value: timestamp), Field(name: "level", value: "\(level)"),
            Field(name: "msg", value: message),
        ]
        return (own + fields).map { "\($0.name)=\($0.quotedValue)" }.joined(separator: " ") + "\n"
    }

    /// The line as one JSON object.
    ///
    /// Values that are counts or times are numbers.
    package var json: String {
        let values = fields.map { ",\($0.name.jsonQuoted):\($0.json)" }
        return #"{"time":"\#(timestamp)","level":"\#(level)","msg":\#(message.jsonQuoted)\#(values.joined())}"# + "\n"
    }

    /// The fields of a journal entry.
    ///
    /// Each value has a field of its own. As a reader sees nothing but the message, it has the values, too.
    package var journalFields: [(name: String, value: String)] {
        let event = fields.first { $0.name == LogKey.event }.flatMap { LogEventName(rawValue: $0.value) }
        let own = [
            ("MESSAGE", summary), ("PRIORITY", String(level.priority)), ("SYSLOG_IDENTIFIER", "tokencached"),
        ]
        let id = event.map { [("MESSAGE_ID", $0.messageID)] } ?? []
        return own + id + fields.map { ("TOKENCACHED_\($0.journalName)", $0.value) }
    }

    /// The line for a standard error that the journal reads, which takes the level from the line's beginning.
    ///
    /// - Parameter line: The line in another form.
    func prefixed(_ line: String) -> String { "<\(level.priority)>\(line)" }
}

extension LogEntry.Field {
    /// The name in capitals, in which the journal allows no hyphen.
    fileprivate var journalName: String { name.uppercased().replacing("-", with: "_") }

    fileprivate var json: String {
        guard LogKey.numbers.contains(name), let number = Int(value) else { return value.jsonQuoted }
        return String(number)
    }
}

extension Logger.Level {
    /// The level in syslog's numbers, which the journal expects.
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
