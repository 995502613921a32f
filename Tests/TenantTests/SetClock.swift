import Synchronization

/// A clock that a test sets.
final class SetClock: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { instant.withLock { $0 } }

    func advance(_ time: Duration) { instant.withLock { $0 += time } }
}
