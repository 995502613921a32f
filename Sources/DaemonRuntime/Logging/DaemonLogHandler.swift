package import Logging
import SafeText

/// Renders each log statement as one line.
package struct DaemonLogHandler: LogHandler {
    private let output: LogOutput
    package var metadata = Logger.Metadata()

    /// Creates a handler that writes to an output.
    package init(_ output: LogOutput) { self.output = output }

    /// The level of the whole daemon, which a reload changes.
    package var logLevel: Logger.Level {
        get { output.level }
        set { output.level = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let values = all.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.value("\($0.value)"))" }
        output.write(event.level, "\(event.message)" + values.joined())
    }

    /// A value in quotes if it has spaces, and without line ends and control characters.
    private static func value(_ text: String) -> String {
        let clean = text.printable
        return clean.contains(" ") || clean.isEmpty ? "\"\(clean)\"" : clean
    }
}
