package import Logging

/// Passes each log statement to the output.
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
        output.write(LogEntry(event.level, "\(event.message)", metadata.merging(event.metadata ?? [:]) { $1 }))
    }
}
