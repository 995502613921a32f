import Audit
package import DaemonConfiguration
import Dispatch
package import Logging
import Synchronization
import Systemd

/// Writes log entries on a thread of its own, so that a slow journal never stops the event loop.
package final class LogOutput: Sendable {
    /// The maximum number of bytes of entries that wait to be written.
    ///
    /// Entries past it are dropped and counted.
    private static let maxWaiting = 1_024 * 1_024
    /// The timeout of a flush: a journal that hangs delays the end of the daemon no longer.
    private static let flushTimeout = DispatchTimeInterval.seconds(2)

    /// The destinations of entries.
    package struct Sink: Sendable {
        /// Writes a line to standard error, and returns true if all of it was written.
        var put: @Sendable (String) -> Bool
        /// Sends fields to the journal, and returns true if it took them.
        var send: @Sendable ([(name: String, value: String)]) -> Bool

        /// Creates a sink, by default this process's standard error and the machine's journal.
        package init(
            put: @escaping @Sendable (String) -> Bool = { StandardError.put($0) },
            send: @escaping @Sendable ([(name: String, value: String)]) -> Bool = { Journal.send($0) }
        ) {
            self.put = put
            self.send = send
        }
    }

    private struct State {
        var level = Logger.Level.info
        var form: LogForm
        /// The number of entries that are lost and not reported yet.
        var unreported = 0
        /// The number of entries that are lost since the start.
        var lost = 0
    }

    private let queue: WriteQueue
    private let surroundings: LogForm.Surroundings
    private let sink: Sink
    private let state: Mutex<State>

    /// Creates an output.
    ///
    /// - Parameters:
    ///   - surroundings: The surroundings that decide about the form.
    ///   - bound: The maximum number of bytes of entries that wait to be written.
    ///   - sink: The destinations.
    package init(
        _ format: DaemonConfiguration.LogFormat = .automatic,
        in surroundings: LogForm.Surroundings = .ofProcess,
        bound: Int = maxWaiting,
        to sink: Sink = Sink()
    ) {
        queue = WriteQueue("tokencached.log", bound: bound)
        self.surroundings = surroundings
        self.sink = sink
        state = Mutex(State(form: LogForm(format, in: surroundings)))
    }

    /// The least level that is written.
    package var level: Logger.Level {
        get { state.withLock { $0.level } }
        set { state.withLock { $0.level = newValue } }
    }

    /// The number of entries that were dropped or could not be written since the start.
    package var droppedLines: Int { state.withLock { $0.lost } + queue.dropped }

    /// Writes in another format from now on.
    package func use(_ format: DaemonConfiguration.LogFormat) {
        let form = LogForm(format, in: surroundings)
        state.withLock { $0.form = form }
    }

    /// Writes an entry, soon.
    package func write(_ entry: LogEntry) {
        let form = state.withLock { $0.form }
        queue.write(size: entry.size) { dropped in
            self.reportLoss(dropped, form)
            if !self.put(entry, form) { self.countLoss() }
        }
    }

    /// Waits until all entries are written, with a timeout.
    package func flush() {
        let form = state.withLock { $0.form }
        queue.flush(within: Self.flushTimeout) { dropped in self.reportLoss(dropped, form) }
    }

    // MARK: Writing

    private func put(_ entry: LogEntry, _ form: LogForm) -> Bool {
        switch form {
        case .journal: sink.send(entry.journalFields)
        case .lines: sink.put(form.line(entry))
        }
    }

    /// Counts an entry that could not be written.
    private func countLoss() {
        state.withLock { state in
            state.lost += 1
            state.unreported += 1
        }
    }

    /// Writes the number of lost entries, if there are any that were not reported.
    ///
    /// - Parameter dropped: The number of entries that the queue has dropped since the last call.
    private func reportLoss(_ dropped: Int, _ form: LogForm) {
        let count = state.withLock { state in
            state.unreported += dropped
            return state.unreported
        }
        guard count > 0 else { return }
        let loss = LogEntry(.warning, "log lines were dropped", [LogKey.count: "\(count)"])
        guard put(loss, form) else { return }
        state.withLock { $0.unreported -= count }
    }
}
