import NIOCore

extension EventLoopPromise where Value: Sendable {
    /// Waits for the promise, and fails it at a deadline or when the task is cancelled.
    func value(until deadline: ContinuousClock.Instant, or fault: CallFault) async throws -> Value {
        let timer = futureResult.eventLoop.scheduleTask(in: TimeAmount(max(deadline - .now, .zero))) { fail(fault) }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await futureResult.get()
        } onCancel: {
            fail(CallFault(.shutDown))
        }
    }
}
