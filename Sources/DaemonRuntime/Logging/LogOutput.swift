import Audit
import Dispatch
package import Logging
import Synchronization
import SystemPackage
import Systemd

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Writes log lines on a thread of its own, so that a slow journal never stops the event loop.
package final class LogOutput: Sendable {
    /// The maximum number of bytes of lines that wait to be written.
    ///
    /// Lines past it are dropped and counted.
    private static let maxWaiting = 1_024 * 1_024
    /// The timeout of a flush: a journal that hangs delays the end of the daemon no longer.
    private static let flushTimeout = DispatchTimeInterval.seconds(2)

    private let queue: WriteQueue
    private let minLevel = Mutex(Logger.Level.info)
    /// True if a journal reads the lines.
    ///
    /// It keeps the time itself, and takes the level from the line's beginning.
    private let isJournal: Bool
    private let put: @Sendable (String) -> Void

    /// Creates an output that writes by a function.
    ///
    /// - Parameters:
    ///   - bound: The maximum number of bytes of lines that wait to be written.
    ///   - put: Writes a text at once.
    package init(isJournal: Bool, bound: Int = maxWaiting, put: @escaping @Sendable (String) -> Void) {
        queue = WriteQueue("tokencached.log", bound: bound)
        self.isJournal = isJournal
        self.put = put
    }

    /// Creates the output to this process's standard error.
    package static func standardError() -> LogOutput {
        let stream = ProcessInfo.processInfo.environment["JOURNAL_STREAM"]
        return LogOutput(isJournal: Journal.isStandardError(stream)) { putToStandardError($0) }
    }

    /// The least level that is written.
    package var level: Logger.Level {
        get { minLevel.withLock { $0 } }
        set { minLevel.withLock { $0 = newValue } }
    }

    /// The number of lines that were dropped since the start.
    package var droppedLines: Int { queue.dropped }

    /// Writes a line, soon.
    package func write(_ level: Logger.Level, _ text: String) {
        let line = render(level, text)
        queue.write(size: line.utf8.count) { dropped in
            self.put(self.loss(dropped) + line)
        }
    }

    /// Waits until all lines are written, with a timeout.
    package func flush() {
        queue.flush(within: Self.flushTimeout) { dropped in
            if dropped > 0 { self.put(self.loss(dropped)) }
        }
    }

    private func loss(_ dropped: Int) -> String {
        dropped > 0 ? render(.warning, "log lines were dropped count=\(dropped)") : ""
    }

    private func render(_ level: Logger.Level, _ text: String) -> String {
        guard !isJournal else { return "<\(level.priority)>\(text)\n" }
        let time = Date().formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        return "\(time)Z \(level) \(text)\n"
    }

    /// Writes a text to standard error, at once.
    package static func putToStandardError(_ text: String) {
        _ = try? FileDescriptor.standardError.writeAll(text.utf8)
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
