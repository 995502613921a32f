import NIOCore

/// A test that waits for a condition on the counters.
struct Wait {
    let condition: @Sendable (StandInTenant.Counters) -> Bool
    let continuation: CheckedContinuation<Void, any Error>
    let deadline: Scheduled<Void>
}

extension StandInTenant {
    /// Waits until a number of replies is held.
    package func waitForHeldReplies(count: Int, within limit: Duration = .seconds(10)) async throws {
        try await wait(within: limit) { counters in counters.held >= count }
    }

    /// Waits until a number of calls of the token endpoint has arrived, since the start or the last reset.
    package func waitForCalls(count: Int, within limit: Duration = .seconds(10)) async throws {
        try await wait(within: limit) { counters in counters.calls >= count }
    }

    /// Waits until a condition on the counters holds, and throws if it doesn't within the limit.
    package func wait(
        within limit: Duration = .seconds(10),
        until condition: @escaping @Sendable (Counters) -> Bool
    ) async throws {
        guard !condition(counters) else { return }
        guard !isStopped else { throw Fault("the stand-in was stopped") }
        lastWait += 1
        let number = lastWait
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let deadline = loop.scheduleTask(in: TimeAmount(limit)) {
                    self.assumeIsolated { $0.endWait(number, Fault("not within \(limit); counted: \($0.counters)")) }
                }
                waits[number] = Wait(condition: condition, continuation: continuation, deadline: deadline)
            }
        } onCancel: {
            // The loop does one thing after another: the wait has been added when this runs.
            loop.execute { self.assumeIsolated { tenant in tenant.endWait(number, CancellationError()) } }
        }
    }

    /// Ends the waits whose condition holds, after a change of the counters.
    func checkWaits() {
        for (number, wait) in waits where wait.condition(counters) { endWait(number) }
    }

    /// Ends a wait, unless it has ended.
    func endWait(_ number: Int, _ error: (any Error)? = nil) {
        guard let wait = waits.removeValue(forKey: number) else { return }
        wait.deadline.cancel()
        wait.continuation.resume(with: error.map { .failure($0) } ?? .success(()))
    }
}
