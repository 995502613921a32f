import Glibc
import Synchronization

/// Catches the signals that arrive while the daemon starts.
///
/// They would end it at once and leave its sockets behind. They are only recorded, and are sent once more when the
/// services that handle signals run.
package enum EarlySignals {
    private static let numbers = [SIGTERM, SIGINT, SIGHUP]
    private static let caught = Atomic<UInt64>(0)

    /// Records the signals from now on.
    package static func begin() {
        // Initialises it here, as a signal handler must not.
        caught.store(0, ordering: .relaxed)
        for number in numbers {
            signal(number) { _ = EarlySignals.caught.bitwiseOr(1 << UInt64($0), ordering: .relaxed) }
        }
    }

    /// Sends the recorded signals once more, after the services have taken the signals over.
    package static func sendAgain() {
        let caught = caught.exchange(0, ordering: .relaxed)
        for number in numbers where caught & 1 << UInt64(number) != 0 { kill(getpid(), number) }
    }
}
