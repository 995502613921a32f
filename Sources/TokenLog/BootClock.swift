import Glibc
import TokenCache

/// Converts instants to nanoseconds since the machine's boot, which a memory file doesn't outlive.
struct BootClock {
    private let instant: Instant
    private let nanoseconds: Int64

    init() {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        // The same clock in another form. Only some nanoseconds pass between the two readings.
        instant = ContinuousClock.now
        nanoseconds = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    func nanoseconds(of instant: Instant) -> Int64 { nanoseconds &+ (instant - self.instant).wholeNanoseconds }

    func instant(at nanoseconds: Int64) -> Instant {
        instant + .nanoseconds(nanoseconds.subtractingReportingOverflow(self.nanoseconds).partialValue)
    }
}

extension Duration {
    /// The duration in nanoseconds, for up to three hundred years.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue &+ attoseconds / 1_000_000_000
    }
}
