import Synchronization

/// Tracks the step that a call is at, which decides the fault of a time-out.
final class CallProgress: Sendable {
    private let fault = Mutex(CallFault(.connectTimeout))

    /// The fault of a time-out at the present step.
    var timeout: CallFault { fault.withLock { $0 } }

    /// Notes that a step begins.
    func begins(_ cause: CallFault.Cause, at side: CallFault.Side = .tenant) {
        fault.withLock { $0 = CallFault(cause, at: side) }
    }
}
