package import Logging
import ServiceLifecycle
import SocketServer
import Systemd

/// Serves both sockets until the shutdown begins, then drains.
///
/// It is the first service to end.
package struct ServingService: DaemonService {
    /// The time for the requests under way at a drain.
    ///
    /// The unit's stop timeout is longer.
    private static let drainTime = Duration.seconds(10)

    private let frontend: Frontend
    private let sockets: Sockets
    private let phase: ServingPhase
    private let tenants: String
    private let log: Logger
    private let whenReady: @Sendable () async -> Void

    /// Prepares the service.
    ///
    /// - Parameters:
    ///   - tenants: The tenants' names, for the log.
    ///   - whenReady: The work that is left for the time after the daemon is ready.
    package init(
        _ frontend: Frontend,
        _ sockets: Sockets,
        _ phase: ServingPhase,
        tenants: String,
        log: Logger,
        whenReady: @escaping @Sendable () async -> Void = {}
    ) {
        self.frontend = frontend
        self.sockets = sockets
        self.phase = phase
        self.tenants = tenants
        self.log = log
        self.whenReady = whenReady
    }

    package func run() async throws {
        try await frontend.listen(on: sockets.requests)
        try await frontend.listen(on: sockets.admin)
        phase.begin(.serving)
        log.info(
            "the daemon serves",
            metadata: [
                LogKey.event: "\(LogEventName.ready.rawValue)", LogKey.version: "\(Version.current)",
                LogKey.tenants: "\(tenants)", LogKey.sockets: "\(sockets.names)",
            ]
        )
        // The signals are trapped by now, and each peer that connects from here on is answered.
        ServiceNotification.ready(status: await frontend.status).send()
        // Beside the wait, as it may read files.
        async let prepared: Void = whenReady()
        try await gracefulShutdown()
        phase.begin(.draining)
        log.info("the daemon drains", metadata: [LogKey.event: "\(LogEventName.draining.rawValue)"])
        ServiceNotification.stopping.send()
        // From here on new peers find another daemon, or none, and not one that is about to close.
        sockets.removeNames()
        await frontend.drain(within: Self.drainTime)
        await prepared
    }
}
