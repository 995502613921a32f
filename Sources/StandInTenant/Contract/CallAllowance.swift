package import FoundationEssentials

/// The token bucket of the tenant's rate limit.
package struct CallAllowance: Sendable {
    private let limit: StandInTenant.RateLimit
    private var remaining: Double
    private var counted: Date

    /// A full bucket.
    package init(_ limit: StandInTenant.RateLimit, at now: Date) {
        self.limit = limit
        remaining = Double(limit.burst)
        counted = now
    }

    /// Takes one call, or returns the whole seconds (at least one) until one can be taken.
    package mutating func take(at now: Date) -> Int? {
        let perSecond = Double(limit.perMinute) / 60
        let gain = max(0, now.timeIntervalSince(counted)) * perSecond
        remaining = min(Double(limit.burst), remaining + gain)
        counted = now
        guard remaining < 1 else {
            remaining -= 1
            return nil
        }
        return max(1, Int(((1 - remaining) / perSecond).rounded(.up)))
    }
}
