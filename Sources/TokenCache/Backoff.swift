/// How long refreshes that failed wait before they are tried again.
///
/// It holds back refreshes only. Any call that succeeds ends it for all of them: the tenant is back.
struct Backoff {
    /// The last pause of each refresh that is being tried again.
    private var last: [CallID: Duration] = [:]

    /// The pause before a refresh is tried again.
    ///
    /// - Parameters:
    ///   - failed: The call that failed.
    ///   - left: What is left of its token.
    ///   - draw: Evenly from 0 up to 1.
    func pause(after failed: CallID, left: Duration, draw: Double) -> Duration {
        typealias Constants = GovernorConstants
        let most = (last[failed] ?? Constants.shortestBackoff) * Constants.backoffGrowth
        let drawn = Constants.shortestBackoff + (most - Constants.shortestBackoff) * draw
        let bounded = min(drawn, Constants.longestBackoff, left / Constants.backoffShareOfLife)
        return max(bounded, Constants.leastBackoff)
    }

    /// Notes the pause that a new try of a refresh waits for.
    mutating func note(_ call: CallID, _ pause: Duration) { last[call] = pause }

    /// Forgets a call.
    mutating func forget(_ call: CallID) { last[call] = nil }

    /// Forgets all: the tenant has answered.
    mutating func end() { last = [:] }
}
