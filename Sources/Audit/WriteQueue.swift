import Dispatch
import Synchronization

/// Does writes one after another on a thread of their own, so that a slow disk or journal never stops an event loop.
///
/// Past a bound writes are dropped and counted: a daemon whose log can't keep up goes on serving.
package final class WriteQueue: Sendable {
    private struct State {
        var waiting = 0
        var dropped = 0
    }

    private let queue: DispatchQueue
    private let bound: Int
    private let state = Mutex(State())

    /// An empty queue.
    ///
    /// - Parameters:
    ///   - label: For debuggers.
    ///   - bound: So many writes may wait.
    package init(_ label: String, bound: Int) {
        queue = DispatchQueue(label: label)
        self.bound = bound
    }

    /// Has something written, soon; it gets the number of writes that were dropped since the last one that wasn't.
    package func write(_ body: @escaping @Sendable (_ dropped: Int) -> Void) {
        let dropped: Int? = state.withLock { state in
            guard state.waiting < bound else {
                state.dropped += 1
                return nil
            }
            state.waiting += 1
            defer { state.dropped = 0 }
            return state.dropped
        }
        guard let dropped else { return }
        queue.async {
            body(dropped)
            self.state.withLock { $0.waiting -= 1 }
        }
    }

    /// Waits until all is written.
    package func flush() { queue.sync {} }
}
