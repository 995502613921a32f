import Glibc
import ServiceLifecycle
import Synchronization

/// Catches the signals that arrive while the daemon starts.
///
/// They would end it at once and leave its sockets behind.
///
/// The signals are only recorded. When the services that handle them run, they are sent once more.
package enum EarlySignals {
    private static let numbers = [SIGTERM, SIGINT, SIGHUP]
    private static let caught = Atomic<UInt64>(0)

    /// Records the signals from now on.
    package static func begin() {
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

/// Sends early signals once more when all services that handle signals run.
struct EarlySignalService: DaemonService {
    func run() async throws {
        EarlySignals.sendAgain()
        try await gracefulShutdown()
    }
}
