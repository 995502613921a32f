import NIOCore

/// The tests that wait until something has been counted.
struct WaitList {
    private struct Wait {
        var condition: @Sendable (StandInTenant.Counters) -> Bool
        var continuation: CheckedContinuation<Void, any Error>
        var deadline: Scheduled<Void>
    }

    private var waits: [Int: Wait] = [:]
    private var last = 0

    /// A number for a wait that is going to be added.
    mutating func nextNumber() -> Int {
        last += 1
        return last
    }

    /// Adds a wait, which its deadline ends.
    mutating func add(
        _ number: Int,
        until condition: @escaping @Sendable (StandInTenant.Counters) -> Bool,
        _ continuation: CheckedContinuation<Void, any Error>,
        deadline: Scheduled<Void>
    ) {
        waits[number] = Wait(condition: condition, continuation: continuation, deadline: deadline)
    }

    /// Ends the waits whose condition holds now.
    mutating func check(_ counters: @autoclosure () -> StandInTenant.Counters) {
        guard !waits.isEmpty else { return }
        let counters = counters()
        for (number, wait) in waits where wait.condition(counters) {
            end(number, .success(()))
        }
    }

    /// Ends a wait, if it is still there.
    mutating func end(_ number: Int, _ result: Result<Void, any Error>) {
        guard let wait = waits.removeValue(forKey: number) else { return }
        wait.deadline.cancel()
        wait.continuation.resume(with: result)
    }

    /// Ends all waits.
    mutating func endAll(_ error: any Error) {
        for number in Array(waits.keys) {
            end(number, .failure(error))
        }
    }
}
