/// Remembers why calls to a tenant failed, so that the log says each cause once and not for every call.
package struct FailureHistory: Sendable {
    /// A change that the log tells.
    package enum Change: Sendable, Equatable {
        /// Calls fail, for another cause than before.
        case fails(reason: String, code: String?)
        /// Calls no longer fail.
        case recovers
    }

    /// A tenant that fails and answers by turns is not told of more often for each cause.
    private static let pause = Duration.seconds(60)

    /// The cause of the last call's failure; nil: it didn't fail.
    private var present: String?
    /// The time at which each cause was told last; there are few, as all are the daemon's own words.
    private var told: [String: ContinuousClock.Instant] = [:]
    /// Whether a failure was told and its end not yet.
    private var isOpen = false

    /// Nothing has failed.
    package init() {}

    /// Notes how a call ended.
    ///
    /// - Returns: What the log has to say; nil: nothing.
    package mutating func note(_ outcome: MintOutcome, now: ContinuousClock.Instant) -> Change? {
        switch outcome {
        case .unavailable(let fault): fails(fault.reason, fault.code, now)
        case .malformed(let reason): fails(reason, nil, now)
        case .minted, .denied, .throttled, .rejected, .noMemory: recovers()
        }
    }

    private mutating func fails(_ reason: String, _ code: String?, _ now: ContinuousClock.Instant) -> Change? {
        let cause = code ?? reason
        guard present != cause else { return nil }
        present = cause
        if let last = told[cause], now - last < Self.pause { return nil }
        told[cause] = now
        isOpen = true
        return .fails(reason: reason, code: code)
    }

    private mutating func recovers() -> Change? {
        present = nil
        defer { isOpen = false }
        return isOpen ? .recovers : nil
    }
}
