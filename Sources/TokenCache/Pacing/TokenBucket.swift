/// A token bucket: a steady rate with room for a burst.
struct TokenBucket: Sendable, Equatable {
    /// Levels are sums of fractions: one that misses a whole call by so little has reached it.
    private static let tolerance = 1e-6

    private var level: Double
    private var updated: Instant
    private var perSecond: Double
    private var burst: Double

    /// A full bucket.
    init(perMinute: Double, burst: Double, now: Instant) {
        perSecond = perMinute / 60
        self.burst = burst
        level = burst
        updated = now
    }

    /// Changes the rate and the size; what is in it stays, as far as it fits.
    mutating func reconfigure(perMinute: Double, burst: Double, now: Instant) {
        level = min(available(at: now), burst)
        updated = now
        perSecond = perMinute / 60
        self.burst = burst
    }

    /// What is in it.
    func available(at now: Instant) -> Double {
        min(burst, level + max(0, (now - updated).inSeconds) * perSecond)
    }

    /// Whether a call can be paid for.
    func hasOne(at now: Instant) -> Bool { available(at: now) + Self.tolerance >= 1 }

    /// Whether nothing of it is used up.
    func isFull(at now: Instant) -> Bool { available(at: now) + Self.tolerance >= burst }

    /// Pays for a call.
    mutating func take(at now: Instant) {
        level = max(0, available(at: now) - 1)
        updated = now
    }

    /// When so many calls will have been paid for, if none goes before a time and nobody else takes any.
    ///
    /// Until then it fills, but not beyond its size.
    func time(of count: Int, from start: Instant) -> Instant {
        let missing = Double(count) - available(at: start)
        guard missing > Self.tolerance else { return start }
        return start + .seconds(missing / perSecond)
    }
}
