package import Dispatch
import Synchronization

/// Does writes one after another on a thread of their own, so that a slow disk or journal never stops an event loop.
///
/// Past a bound in bytes writes are dropped and counted: a daemon whose log can't keep up goes on serving.
package final class WriteQueue: Sendable {
    private struct State {
        var waiting = 0
        var dropped = 0
    }

    /// The memory that a write takes besides its text, in bytes.
    private static let overhead = 512

    private let queue: DispatchQueue
    private let bound: Int
    private let state = Mutex(State())

    /// An empty queue.
    ///
    /// - Parameters:
    ///   - label: For debuggers.
    ///   - bound: So many bytes may wait.
    package init(_ label: String, bound: Int) {
        queue = DispatchQueue(label: label)
        self.bound = bound
    }

    /// Has something written, soon; it gets the number of writes that were dropped since the last one that wasn't.
    ///
    /// - Parameters:
    ///   - size: How many bytes of text it holds on to.
    ///   - share: The part of the room that may be full for it to be taken; others keep the rest.
    package func write(size: Int, share: Double = 1, _ body: @escaping @Sendable (_ dropped: Int) -> Void) {
        let size = size + Self.overhead
        let dropped: Int? = state.withLock { state in
            guard state.waiting + size <= Int(Double(bound) * share) else {
                state.dropped += 1
                return nil
            }
            state.waiting += size
            defer { state.dropped = 0 }
            return state.dropped
        }
        guard let dropped else { return }
        queue.async {
            body(dropped)
            self.state.withLock { $0.waiting -= size }
        }
    }

    /// The number of bytes that wait.
    package var waiting: Int { state.withLock { $0.waiting } }

    /// Waits until all is written, but no longer than a time: a disk or a journal may hang.
    ///
    /// - Parameter last: Is done behind all writes; it gets the number of those that were dropped since the last one.
    /// - Returns: Whether all is done.
    @discardableResult
    package func flush(
        within patience: DispatchTimeInterval,
        last: @escaping @Sendable (_ dropped: Int) -> Void = { _ in }
    ) -> Bool {
        let done = DispatchSemaphore(value: 0)
        queue.async {
            let dropped = self.state.withLock { state in
                defer { state.dropped = 0 }
                return state.dropped
            }
            last(dropped)
            done.signal()
        }
        return done.wait(timeout: .now() + patience) == .success
    }
}
