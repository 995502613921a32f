/// A token bucket: a steady rate with a burst.
struct TokenBucket: Sendable, Equatable {
    /// The tolerance of levels, which are sums of fractions.
    private static let tolerance = 1e-6

    private var level: Double
    private var updated: Instant
    private(set) var perSecond: Double
    private(set) var burst: Double

    /// Creates a full bucket.
    init(perMinute: Double, burst: Double, now: Instant) {
        perSecond = perMinute / 60
        self.burst = burst
        level = burst
        updated = now
    }

    /// Changes the rate and the size.
    ///
    /// The content stays, as far as it fits.
    mutating func reconfigure(perMinute: Double, burst: Double, now: Instant) {
        level = min(available(at: now), burst)
        updated = now
        perSecond = perMinute / 60
        self.burst = burst
    }

    /// Returns the number of calls in the bucket.
    func available(at now: Instant) -> Double {
        min(burst, level + max(0, (now - updated).inSeconds) * perSecond)
    }

    /// True if it holds at least one call.
    func hasOne(at now: Instant) -> Bool { available(at: now) + Self.tolerance >= 1 }

    /// True if it is full.
    func isFull(at now: Instant) -> Bool { available(at: now) + Self.tolerance >= burst }

    /// Takes one call.
    mutating func take(at now: Instant) {
        level = max(0, available(at: now) - 1)
        updated = now
    }

    /// Gives back a call that was taken and not made.
    mutating func giveBack(at now: Instant) { set(available(at: now) + 1, at: now) }

    /// Sets the number of calls, as somebody else counts them.
    mutating func set(_ level: Double, at now: Instant) {
        self.level = min(burst, max(0, level))
        updated = now
    }

    /// Returns the time at which a number of calls is available, if none is taken before.
    ///
    /// - Parameters:
    ///   - count: The number of calls.
    ///   - start: The time before which no call is sent. Until then the bucket fills up to its size.
    func time(of count: Int, from start: Instant) -> Instant {
        let missing = Double(count) - available(at: start)
        guard missing > Self.tolerance else { return start }
        return start + .seconds(missing / perSecond)
    }
}
