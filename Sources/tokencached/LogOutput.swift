import Audit
import Dispatch
import Logging
import SafeText
import Synchronization
import SystemPackage
import Systemd

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Writes log lines to standard error on a thread of its own, so that a slow journal never stops the event loop.
final class LogOutput: Sendable {
    /// Lines may wait to be written up to so many bytes; past it lines are dropped and counted.
    private static let mostWaiting = 1_024 * 1_024
    /// A journal that hangs holds the end of the daemon up no longer.
    private static let patience = DispatchTimeInterval.seconds(2)

    private let queue = WriteQueue("tokencached.log", bound: mostWaiting)
    private let leastLevel = Mutex(Logger.Level.info)
    /// The journal keeps the time itself, and takes the level from the line's beginning.
    private let isJournal: Bool

    private init(isJournal: Bool) { self.isJournal = isJournal }

    /// The output of this process.
    static func standardError() -> LogOutput {
        LogOutput(isJournal: Journal.isStandardError(ProcessInfo.processInfo.environment["JOURNAL_STREAM"]))
    }

    /// The least level that is written.
    var level: Logger.Level {
        get { leastLevel.withLock { $0 } }
        set { leastLevel.withLock { $0 = newValue } }
    }

    /// Writes a line, soon.
    func write(_ level: Logger.Level, _ text: String) {
        let line = render(level, text)
        queue.write(size: line.utf8.count) { dropped in
            let loss = dropped > 0 ? self.render(.warning, "log lines were dropped count=\(dropped)") : ""
            Self.put(loss + line)
        }
    }

    /// Waits until all is written, but not for ever.
    func flush() { queue.flush(within: Self.patience) }

    private func render(_ level: Logger.Level, _ text: String) -> String {
        guard !isJournal else { return "<\(level.priority)>\(text)\n" }
        let time = Date().formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        return "\(time)Z \(level) \(text)\n"
    }

    /// Writes a text to standard error, at once.
    static func put(_ text: String) { _ = try? FileDescriptor.standardError.writeAll(text.utf8) }
}

extension Logger.Level {
    /// The level in syslog's numbers, as the journal wants it.
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

/// Renders a log statement as one line.
struct DaemonLogHandler: LogHandler {
    private let output: LogOutput
    var metadata = Logger.Metadata()

    init(_ output: LogOutput) { self.output = output }

    /// One level for the whole daemon: a reload changes it.
    var logLevel: Logger.Level {
        get { output.level }
        set { output.level = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let values = all.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.value("\($0.value)"))" }
        output.write(event.level, "\(event.message)" + values.joined())
    }

    /// Quoted where it has spaces, and without anything that ends a line or steers a terminal.
    private static func value(_ text: String) -> String {
        let clean = text.printable
        return clean.contains(" ") || clean.isEmpty ? "\"\(clean)\"" : clean
    }
}
