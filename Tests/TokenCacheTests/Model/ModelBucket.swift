@testable import TokenCache

/// A token bucket, as minting.md describes it.
struct ModelBucket {
    /// The tolerance of levels, which are sums of fractions.
    static let tolerance = 1e-5

    private var level: Double
    private var filled: Instant
    private var perSecond: Double
    private var size: Double

    init(perMinute: Double, size: Double, now: Instant) {
        level = max(1, size)
        filled = now
        perSecond = perMinute / 60
        self.size = max(1, size)
    }

    func level(at now: Instant) -> Double { min(size, level + (now - filled).inSeconds * perSecond) }

    /// True if a call may go.
    ///
    /// `canPay` is true if it must be able to.
    func mayPay(at now: Instant) -> Bool { level(at: now) > 1 - Self.tolerance }
    func canPay(at now: Instant) -> Bool { level(at: now) > 1 + Self.tolerance }

    /// Takes a call, and returns false if there was none.
    mutating func pay(at now: Instant) -> Bool {
        defer {
            level = max(0, level(at: now) - 1)
            filled = now
        }
        return mayPay(at: now)
    }

    /// Returns the time at which a call can go behind a number of others, if none goes before a start.
    func time(behind others: Int, from start: Instant) -> Instant {
        var bucket = self
        var time = start
        for _ in 0...others {
            let missing = 1 - bucket.level(at: time)
            if missing > 1e-7 { time += .seconds(missing / perSecond) }
            _ = bucket.pay(at: time)
        }
        return time
    }

    mutating func reconfigure(perMinute: Double, size: Double, now: Instant) {
        level = min(level(at: now), max(1, size))
        filled = now
        perSecond = perMinute / 60
        self.size = max(1, size)
    }
}
