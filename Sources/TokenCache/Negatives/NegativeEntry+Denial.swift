import TokenProtocol

/// The denial of a user, which lasts longer each time.
extension NegativeEntry {
    /// The maximum duration of a denial.
    ///
    /// A user who was let in again waits no longer.
    static var maxDenial: Duration { .seconds(300) }
    /// The time for which an ended denial is remembered, so that the next one continues its doubling.
    static var denialRetention: Duration { .seconds(300) }

    /// Records a denial.
    ///
    /// Each consecutive one lasts twice as long.
    mutating func deny(_ upstream: ErrorReply.Upstream, first length: Duration, now: Instant) {
        let length = denial.map { min($0.length * 2, Self.maxDenial) } ?? length
        denial = Denial(until: now + length, length: length, upstream: upstream)
        remember(until: now + length + Self.denialRetention)
    }

    /// Records a denial that another machine has got, for the time that is left of it.
    mutating func deny(_ upstream: ErrorReply.Upstream, until: Instant, now: Instant) {
        guard until > now, denial.map({ $0.until < until }) ?? true else { return }
        denial = Denial(until: until, length: denial?.length ?? until - now, upstream: upstream)
        remember(until: until + Self.denialRetention)
    }
}
