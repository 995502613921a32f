/// Converts instants to nanoseconds since the machine's boot, which a memory file doesn't outlive.
package struct BootClock: Sendable {
    private let boot: ContinuousClock.Instant

    /// Creates a clock.
    package init() { boot = ContinuousClock().systemEpoch }

    /// Returns the nanoseconds at an instant.
    package func nanoseconds(of instant: ContinuousClock.Instant) -> Int64 { (instant - boot).wholeNanoseconds }

    /// Returns an instant as the record of a token keeps it: in whole microseconds, rounded down.
    package func asKept(_ instant: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let nanoseconds = nanoseconds(of: instant)
        return self.instant(at: nanoseconds - nanoseconds % RecordTime.unit)
    }

    /// Returns the instant at a number of nanoseconds.
    package func instant(at nanoseconds: Int64) -> ContinuousClock.Instant { boot + .nanoseconds(nanoseconds) }
}

extension Duration {
    /// The duration in nanoseconds, for up to three hundred years.
    package var wholeNanoseconds: Int64 {
        Int64(truncatingIfNeeded: attoseconds / 1_000_000_000)
    }
}
