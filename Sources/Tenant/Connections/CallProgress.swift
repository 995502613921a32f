import Synchronization

/// The phase that a call is in, which its time-out is named for.
final class CallProgress: Sendable {
    private let fault = Mutex(CallFault(.connectTimeout))

    /// The time-out of the step that the call is at.
    var timeout: CallFault { fault.withLock { $0 } }

    /// A step begins.
    func begins(_ cause: CallFault.Cause, at side: CallFault.Side = .tenant) {
        fault.withLock { $0 = CallFault(cause, at: side) }
    }
}
