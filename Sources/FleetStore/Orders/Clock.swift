import TokenCache
import TokenProtocol

/// Two clocks at one moment, from which the wall time of other moments follows.
struct Clock {
    let now: Instant
    let wall: WallTime

    /// The wall clock's time at an instant, for display.
    func wallTime(at instant: Instant) -> WallTime {
        let seconds = Int64(wall.seconds) + (instant - now).components.seconds
        return WallTime(seconds: UInt32(clamping: seconds))
    }
}
