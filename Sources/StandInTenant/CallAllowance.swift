/// The bucket behind the tenant's rate limit.
package struct CallAllowance: Sendable {
    private let limit: StandInTenant.RateLimit
    private var left: Double
    private var counted: ContinuousClock.Instant

    /// A full bucket.
    package init(_ limit: StandInTenant.RateLimit, at now: ContinuousClock.Instant) {
        self.limit = limit
        left = Double(limit.burst)
        counted = now
    }

    /// Takes one call, or says in how many whole seconds (at least one) there will be one to take.
    package mutating func take(at now: ContinuousClock.Instant) -> Int? {
        let perSecond = Double(limit.perMinute) / 60
        left = min(Double(limit.burst), left + max(0, (now - counted) / .seconds(1)) * perSecond)
        counted = now
        guard left < 1 else {
            left -= 1
            return nil
        }
        return max(1, Int(((1 - left) / perSecond).rounded(.up)))
    }
}
