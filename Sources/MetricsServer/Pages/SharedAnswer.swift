import NIOCore
import Synchronization

/// Calls a function once for all who ask while it runs, and tells them in time if it doesn't return.
///
/// Calls begin no more often than once in an interval, so that no number of clients can fill the event loops that the
/// function uses.
final class SharedAnswer<Value: Sendable>: Sendable {
    /// A call that has not returned.
    private struct Call {
        let began: NIODeadline
        let result: EventLoopFuture<Value>
    }

    private struct State {
        var call: Call?
        /// The time at which the next call may begin.
        var next = NIODeadline.uptimeNanoseconds(0)
    }

    private let loop: any EventLoop
    private let limit: TimeAmount
    private let interval: TimeAmount
    private let function: @Sendable () async -> Value
    private let state = Mutex(State())

    /// Prepares calls of a function.
    ///
    /// - Parameters:
    ///   - loop: The event loop of the timeout, which must not be one that the function waits for.
    ///   - limit: The longest time that a call may take.
    ///   - interval: The shortest time between two calls.
    init(
        on loop: any EventLoop,
        within limit: TimeAmount,
        every interval: TimeAmount,
        _ function: @escaping @Sendable () async -> Value
    ) {
        self.loop = loop
        self.limit = limit
        self.interval = interval
        self.function = function
    }

    /// Returns the function's result, or nil if it doesn't return within the limit.
    ///
    /// While a call is over the limit, the result is nil at once, so that those who ask don't pile up behind it.
    func value() async -> Value? {
        let call = begin()
        guard call.began + limit > .now() else { return nil }
        let answer = loop.makePromise(of: Value?.self)
        let timeout = loop.scheduleTask(deadline: call.began + limit) { answer.succeed(nil) }
        call.result.whenSuccess { value in
            timeout.cancel()
            answer.succeed(value)
        }
        return try? await answer.futureResult.get()
    }

    private func begin() -> Call {
        state.withLock { state in
            if let call = state.call { return call }
            let promise = loop.makePromise(of: Value.self)
            let new = Call(began: max(.now(), state.next), result: promise.futureResult)
            state.call = new
            state.next = new.began + interval
            promise.futureResult.whenComplete { _ in self.state.withLock { $0.call = nil } }
            loop.scheduleTask(deadline: new.began) {
                // No child of the task that asks: it must be able to go on without the result.
                promise.completeWithTask { await self.function() }
            }
            return new
        }
    }
}
