import Synchronization

/// A weak reference to a frontend, for parts that the frontend owns and that call it on its own thread.
final class FrontendReference: Sendable {
    private struct Weak: Sendable {
        weak var frontend: Frontend?
    }

    private let reference = Mutex(Weak())

    /// Sets the frontend.
    func set(_ frontend: Frontend) { reference.withLock { $0.frontend = frontend } }

    /// Calls a function with the frontend, if it is still there.
    func use(_ body: (isolated Frontend) -> Void) { reference.withLock(\.frontend)?.assumeIsolated(body) }
}
