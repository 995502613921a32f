/// The pauses before failed refreshes are retried.
///
/// It delays only refreshes. Any successful call ends all pauses, as the tenant is back.
struct Backoff {
    /// A pause before a retry.
    struct Pause: Equatable {
        let length: Duration
        /// The outage in which it was drawn.
        ///
        /// It says nothing in another.
        fileprivate let outage: UInt64
    }

    private var outage: UInt64 = 0

    /// Returns the pause before a refresh is retried.
    ///
    /// - Parameters:
    ///   - last: The previous pause.
    ///   - left: The time left of its token.
    ///   - jitterFraction: A random number, evenly distributed from 0 up to 1.
    func pause(after last: Pause?, left: Duration, jitterFraction: Double) -> Pause {
        typealias Constants = GovernorConstants
        let present = last.flatMap { $0.outage == outage ? $0.length : nil }
        let most = (present ?? Constants.minBackoff) * Constants.backoffGrowth
        let drawn = Constants.minBackoff + (most - Constants.minBackoff) * jitterFraction
        // Never zero, as a token that is refreshed has at least a second left.
        let length = min(drawn, Constants.maxBackoff, left / Constants.backoffShareOfLife)
        return Pause(length: length, outage: outage)
    }

    /// Ends the outage.
    ///
    /// The next pauses start anew.
    mutating func end() { outage += 1 }
}
