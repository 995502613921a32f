extension ContinuousClock.Instant {
    /// The present time without its part of a microsecond, so that the records of tokens keep it exactly.
    package static var wholeMicrosecond: Self {
        let (now, boot) = (ContinuousClock.now, ContinuousClock().systemEpoch)
        return boot + .microseconds(Int((now - boot) / .microseconds(1)))
    }
}
