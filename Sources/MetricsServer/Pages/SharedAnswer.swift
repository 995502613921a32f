import NIOCore
import Synchronization

/// Calls a function once for all who ask while it runs, and tells them in time if it doesn't return.
final class SharedAnswer<Value: Sendable>: Sendable {
    /// A call that has not returned.
    private struct Call {
        let began: NIODeadline
        let result: EventLoopFuture<Value>
    }

    private let loop: any EventLoop
    private let limit: TimeAmount
    private let function: @Sendable () async -> Value
    private let call = Mutex<Call?>(nil)

    /// Prepares calls of a function.
    ///
    /// - Parameters:
    ///   - loop: The event loop of the timeout, which must not be one that the function waits for.
    ///   - limit: The longest time that a call may take.
    init(on loop: any EventLoop, within limit: TimeAmount, _ function: @escaping @Sendable () async -> Value) {
        self.loop = loop
        self.limit = limit
        self.function = function
    }

    /// Returns the function's result, or nil if it doesn't return within the limit.
    ///
    /// While a call is over the limit, the result is nil at once, so that those who ask don't pile up behind it.
    func value() async -> Value? {
        let call = begin()
        let answer = loop.makePromise(of: Value?.self)
        let timeout = loop.scheduleTask(deadline: call.began + limit) { answer.succeed(nil) }
        call.result.whenSuccess { value in
            timeout.cancel()
            answer.succeed(value)
        }
        return try? await answer.futureResult.get()
    }

    private func begin() -> Call {
        call.withLock { current in
            if let current { return current }
            let promise = loop.makePromise(of: Value.self)
            let new = Call(began: .now(), result: promise.futureResult)
            current = new
            promise.futureResult.whenComplete { _ in self.call.withLock { $0 = nil } }
            // No child of the task that asks: it must be able to go on without the result.
            promise.completeWithTask { await self.function() }
            return new
        }
    }
}
