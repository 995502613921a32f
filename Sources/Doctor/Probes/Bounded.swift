import Dispatch
import Synchronization

/// Work that may block, with a time limit.
///
/// A name service or a network file system may hang. The work runs on a thread of its own queue and is left behind when
/// its time is up.
enum Bounded {
    private static let queue = DispatchQueue(label: "tokencachectl.doctor", attributes: .concurrent)

    /// Returns the result of the work, or nil when the time is up.
    static func run<Value: Sendable>(
        within time: Duration,
        _ work: @escaping @Sendable () -> Value
    ) async -> Value? {
        await withCheckedContinuation { continuation in
            let first = FirstResult<Value>(continuation)
            queue.async { first.resume(work()) }
            DispatchQueue.global().asyncAfter(deadline: .now() + time / .seconds(1)) { first.resume(nil) }
        }
    }
}

/// A continuation that is resumed by the first of two results.
private final class FirstResult<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value?, Never>?>

    init(_ continuation: CheckedContinuation<Value?, Never>) { self.continuation = Mutex(continuation) }

    func resume(_ value: Value?) {
        let continuation = continuation.withLock { kept in
            defer { kept = nil }
            return kept
        }
        continuation?.resume(returning: value)
    }
}
