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
}
