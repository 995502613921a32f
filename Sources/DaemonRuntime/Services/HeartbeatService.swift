import ServiceLifecycle
import Systemd

/// Tells the service manager that the daemon is alive, and its state.
///
/// Each message waits for a turn of every event loop. A loop that is stuck prevents it, and the manager restarts the
/// daemon.
package struct HeartbeatService: DaemonService {
    /// The longest time between two updates of the line of `systemctl status`.
    private static let statusInterval = Duration.seconds(10)

    private let frontend: Frontend
    private let turns: [@Sendable () async -> Void]
    private let interval: Duration?

    /// Prepares the service.
    ///
    /// - Parameters:
    ///   - turns: The waits for a turn of each event loop that has to be alive.
    ///   - interval: The watchdog's interval, or nil for none.
    package init(_ frontend: Frontend, turns: [@Sendable () async -> Void], interval: Duration?) {
        self.frontend = frontend
        self.turns = turns
        self.interval = interval
    }

    package func run() async throws {
        let pause = interval.map { min($0 / 2, Self.statusInterval) } ?? Self.statusInterval
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                for turn in turns { await turn() }
                let status = await frontend.status
                if interval != nil { ServiceNotification.alive.send() }
                ServiceNotification.status(status).send()
                try? await Task.sleep(for: pause)
            }
        }
    }
}
