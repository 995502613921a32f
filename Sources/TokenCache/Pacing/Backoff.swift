/// How long refreshes that failed wait before they are tried again.
///
/// It holds back refreshes only. Any call that succeeds ends it for all of them: the tenant is back.
struct Backoff {
    /// The pause that a refresh waits or has waited for.
    struct Pause: Equatable {
        let length: Duration
        /// In which outage it was drawn: it says nothing in another.
        fileprivate let outage: UInt64
    }

    private var outage: UInt64 = 0

    /// The pause before a refresh is tried again.
    ///
    /// - Parameters:
    ///   - last: The one before.
    ///   - left: What is left of its token.
    ///   - draw: Evenly from 0 up to 1.
    func pause(after last: Pause?, left: Duration, draw: Double) -> Pause {
        typealias Constants = GovernorConstants
        let present = last.flatMap { $0.outage == outage ? $0.length : nil }
        let most = (present ?? Constants.shortestBackoff) * Constants.backoffGrowth
        let drawn = Constants.shortestBackoff + (most - Constants.shortestBackoff) * draw
        // Never zero: a token that is refreshed has a second left at least.
        let length = min(drawn, Constants.longestBackoff, left / Constants.backoffShareOfLife)
        return Pause(length: length, outage: outage)
    }

    /// The tenant has answered: what comes next begins anew.
    mutating func end() { outage += 1 }
}
