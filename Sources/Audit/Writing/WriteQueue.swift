package import Dispatch
import Synchronization

/// Runs writes one after another on a thread of their own, so that a slow disk or journal never blocks an event loop.
///
/// Past a bound in bytes, writes are dropped and counted: a daemon whose log can't keep up continues to serve.
package final class WriteQueue: Sendable {
    private struct State {
        var waiting = 0
        var dropped = 0
        var droppedInAll = 0
    }

    /// The memory that a write needs besides its text, in bytes.
    private static let overhead = 512

    private let queue: DispatchQueue
    private let bound: Int
    private let state = Mutex(State())

    /// Creates an empty queue.
    ///
    /// - Parameters:
    ///   - label: A name for debuggers.
    ///   - bound: The most bytes that may wait.
    package init(_ label: String, bound: Int) {
        queue = DispatchQueue(label: label)
        self.bound = bound
    }

    /// Queues a write, or drops it past the bound.
    ///
    /// - Parameters:
    ///   - size: The number of bytes of text that it keeps in memory.
    ///   - share: The share of the bound that this write may use. The rest is left to others.
    ///   - body: The write, which gets the number of writes that were dropped since the last one.
    package func write(size: Int, share: Double = 1, _ body: @escaping @Sendable (_ dropped: Int) -> Void) {
        let size = size + Self.overhead
        let dropped: Int? = state.withLock { state in
            guard state.waiting + size <= Int(Double(bound) * share) else {
                state.dropped += 1
                state.droppedInAll += 1
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

    /// The number of writes that were dropped since the start.
    package var dropped: Int { state.withLock { $0.droppedInAll } }

    /// The number of bytes that wait.
    package var waiting: Int { state.withLock { $0.waiting } }

    /// Waits until all writes are done, but no longer than a timeout: a disk or a journal may hang.
    ///
    /// - Parameters:
    ///   - timeout: The longest wait.
    ///   - last: A last write, which gets the number of writes that were dropped since the one before.
    /// - Returns: True if all writes are done.
    @discardableResult
    package func flush(
        within timeout: DispatchTimeInterval,
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
        return done.wait(timeout: .now() + timeout) == .success
    }
}
