import Glibc
import ServiceLifecycle
import Synchronization

/// Signals that come while the daemon is being set up: they would end it where it stands, its sockets left behind.
///
/// They are only noted until the services are there that act on them, and sent once more then.
enum EarlySignals {
    private static let caught = Atomic<UInt64>(0)

    /// From now on the signals are noted.
    static func begin() {
        for number in [SIGTERM, SIGINT, SIGHUP] {
            signal(number) { _ = EarlySignals.caught.bitwiseOr(1 << UInt64($0), ordering: .relaxed) }
        }
    }

    /// Sends those that have come; the services have taken them over by now.
    static func sendAgain() {
        let caught = caught.exchange(0, ordering: .relaxed)
        for number in [SIGTERM, SIGINT, SIGHUP] where caught & 1 << UInt64(number) != 0 { kill(getpid(), number) }
    }
}

/// Sends early signals once more when all that listens to signals is there.
struct EarlySignalService: Service {
    func run() async throws {
        EarlySignals.sendAgain()
        try await gracefulShutdown()
    }
}
