import Audit
import Logging
import NIOCore
import ServiceLifecycle
import SocketServer
import Systemd
import TokenCache

/// Makes the calls that the cache orders.
///
/// It is among the last to end: a drain still needs mints.
struct MintService: Service {
    let cache: TokenCache
    let clients: TenantClients

    func run() async throws {
        await withGracefulShutdownHandler {
            await cache.run(clients)
        } onGracefulShutdown: {
            cache.stop()
        }
    }
}

/// Serves both sockets until the end is asked for, then drains.
///
/// It is the first to end.
struct ServingService: Service {
    /// What is under way has so long to be answered; the unit's stop time-out is longer.
    static let drainTime = TimeAmount.seconds(10)

    let frontend: Frontend
    let sockets: Sockets
    let tenants: String
    let log: Logger

    func run() async throws {
        try await frontend.listen(on: sockets.requests)
        try await frontend.listen(on: sockets.admin)
        log.info(
            "the daemon serves",
            metadata: [
                LogKey.version: "\(Version.current)", LogKey.tenants: "\(tenants)", LogKey.sockets: "\(sockets.names)",
            ]
        )
        // The signals are trapped by now, and whoever connects from here on is answered.
        ServiceNotification.ready(status: await frontend.status).send()
        try await gracefulShutdown()
        log.info("the daemon drains")
        ServiceNotification.stopping.send()
        // From here on new peers find another daemon, or none, and not one that is about to close.
        sockets.removeNames()
        try await frontend.drain(within: Self.drainTime)
    }
}

/// Has the audit trail record what it has only counted.
struct AuditService: Service {
    private static let interval = Duration.seconds(10)

    let trail: AuditTrail

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                trail.recordCounts()
            }
        }
    }
}

extension AuditTrail.Report {
    /// Writes it to the log.
    func write(to log: Logger) {
        switch self {
        case .losesRecords(let reason):
            log.error("the audit trail has a gap", metadata: [LogKey.reason: "\(reason)"])
        case .recovers(let missing):
            log.notice("the audit trail is written again", metadata: [LogKey.missing: "\(missing)"])
        }
    }
}

/// Tells the service manager that the daemon is alive, and how it is.
///
/// The word goes through every loop: one that is stuck keeps it from being said, and the manager restarts the daemon.
struct HeartbeatService: Service {
    /// How often the line of `systemctl status` is brought up to date where no watchdog wants it sooner.
    private static let statusInterval = Duration.seconds(10)

    let frontend: Frontend
    let loops: [any EventLoop]
    let interval: Duration?

    func run() async throws {
        let pause = interval.map { min($0 / 2, Self.statusInterval) } ?? Self.statusInterval
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                for loop in loops { try? await loop.submit {}.get() }
                let status = await frontend.status
                if interval != nil { ServiceNotification.alive.send() }
                ServiceNotification.status(status).send()
                try? await Task.sleep(for: pause)
            }
        }
    }
}
