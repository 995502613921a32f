package import TokenCache

/// Remembers why calls to a tenant failed, so that the log reports each cause once and not for every call.
package struct FailureHistory: Sendable {
    /// A change that is to be logged.
    package enum Change: Sendable, Equatable {
        /// Calls fail, for another cause than before.
        case fails(reason: String, code: String?)
        /// Calls no longer fail.
        case recovers
    }

    /// A cause is reported no more often than this, even if the tenant fails and answers by turns.
    private static let interval = Duration.seconds(60)

    /// The cause for which the last call failed, or nil if it didn't fail.
    private var currentCause: String?
    /// The time at which each cause was last reported.
    ///
    /// The causes are few, as their texts are the daemon's own.
    private var lastReports: [String: ContinuousClock.Instant] = [:]
    /// True if a failure has been reported and the recovery from it has not.
    private var isFailureReported = false

    /// Creates a history without failures.
    package init() {}

    /// Notes the outcome of a call.
    ///
    /// - Returns: The change to log, or nil if there is none.
    package mutating func note(_ outcome: MintOutcome, now: ContinuousClock.Instant) -> Change? {
        switch outcome {
        // A call that the daemon's own end has cut off says nothing of the tenant.
        case .failed(.unavailable(_, CallFault.Cause.shutDown.rawValue, _)): nil
        case .failed(.unavailable(let reason, let code, _)): fails(reason, code, now)
        case .failed(.malformed(let reason)): fails(reason, nil, now)
        case .minted, .failed(.denied), .failed(.throttled), .failed(.rejected), .failed(.noMemory): recovers()
        }
    }

    private mutating func fails(_ reason: String, _ code: String?, _ now: ContinuousClock.Instant) -> Change? {
        let cause = code ?? reason
        guard currentCause != cause else { return nil }
        currentCause = cause
        if let last = lastReports[cause], now - last < Self.interval { return nil }
        lastReports[cause] = now
        isFailureReported = true
        return .fails(reason: reason, code: code)
    }

    private mutating func recovers() -> Change? {
        currentCause = nil
        defer { isFailureReported = false }
        return isFailureReported ? .recovers : nil
    }
}
