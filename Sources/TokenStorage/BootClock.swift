import Glibc

/// Converts instants to nanoseconds since the machine's boot, which a memory file doesn't outlive.
package struct BootClock: Sendable {
    private let instant: ContinuousClock.Instant
    private let nanoseconds: Int64

    /// Creates a clock by one look at the machine's.
    package init() {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        // The same clock in another form. Only some nanoseconds pass between the two readings.
        instant = ContinuousClock.now
        nanoseconds = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Returns the nanoseconds at an instant.
    package func nanoseconds(of instant: ContinuousClock.Instant) -> Int64 {
        nanoseconds &+ (instant - self.instant).wholeNanoseconds
    }

    /// Returns the instant at a number of nanoseconds.
    package func instant(at nanoseconds: Int64) -> ContinuousClock.Instant {
        instant + .nanoseconds(nanoseconds.subtractingReportingOverflow(self.nanoseconds).partialValue)
    }
}

extension Duration {
    /// The duration in nanoseconds, for up to three hundred years.
    package var wholeNanoseconds: Int64 {
        Int64(truncatingIfNeeded: attoseconds / 1_000_000_000)
    }
}
