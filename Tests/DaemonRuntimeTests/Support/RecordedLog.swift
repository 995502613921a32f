import DaemonRuntime
import Logging
import Synchronization

/// A log whose lines a test can read and wait for.
final class RecordedLog: Sendable {
    private struct State {
        var lines: [String] = []
        var observers: [AsyncStream<Void>.Continuation] = []
    }

    let output: LogOutput
    let logger: Logger
    private let state: Recorder

    private final class Recorder: Sendable {
        let state = Mutex(State())

        func record(_ text: String) {
            state.withLock { state in
                state.lines += text.split(separator: "\n").map(String.init)
                for observer in state.observers { observer.yield() }
            }
        }
    }

    init() {
        let recorder = Recorder()
        var surroundings = LogForm.Surroundings()
        surroundings.standardErrorIsJournal = true
        let sink = LogOutput.Sink(
            put: { line in
                recorder.record(line)
                return true
            },
            send: { _ in false }
        )
        let output = LogOutput(in: surroundings, to: sink)
        state = recorder
        self.output = output
        logger = Logger(label: "test") { _ in DaemonLogHandler(output) }
    }

    /// The lines so far, each with its priority.
    var lines: [String] {
        output.flush()
        return state.state.withLock { $0.lines }
    }

    /// The number of lines that contain a text.
    func count(_ text: String) -> Int { lines.count { $0.contains(text) } }

    /// Waits until a line contains a text.
    func wait(for text: String) async {
        let (changes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let isThere = state.state.withLock { state in
            state.observers.append(continuation)
            return state.lines.contains { $0.contains(text) }
        }
        if isThere { return }
        for await _ in changes where state.state.withLock({ $0.lines.contains { $0.contains(text) } }) { return }
    }
}
