import Audit
import DaemonConfiguration
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SocketServer
import Systemd
import TokenCache
import TokenProtocol
import UnixSignals

/// Sets the rooms up, runs them until a signal ends them, and takes them down.
struct Daemon {
    private let source: ConfigurationSource
    private let loaded: ConfigurationSource.Loaded
    private let output: LogOutput
    private let log: Logger

    init(
        _ source: ConfigurationSource,
        _ loaded: ConfigurationSource.Loaded,
        _ output: LogOutput,
        _ log: Logger
    ) {
        self.source = source
        self.loaded = loaded
        self.output = output
        self.log = log
    }

    /// Serves until SIGTERM or SIGINT.
    func run() async throws {
        output.level = loaded.configuration.level
        EarlySignals.begin()
        let handedOver = try HandedOverSockets.take()
        let sockets = try Sockets(handedOver, loaded.configuration.sockets)
        defer { sockets.removeNames() }
        warn()
        // A loop for the cache and the connections, another for the tenants: TLS and answers never hold a hit up.
        let trail = AuditTrail(to: try loaded.openAuditTrail(source.path)) { [log] in $0.write(to: log) }
        defer {
            if !trail.flush() { log.error("not all records of the audit trail were written before the end") }
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tenantGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let clients = TenantClients(source, on: tenantGroup, log: log)
        do {
            try await serve(sockets, handedOver.stored, group.next(), tenantGroup.next(), clients, trail)
        } catch {
            await clients.shutdown()
            throw error
        }
        await clients.shutdown()
        try await tenantGroup.shutdownGracefully()
        try await group.shutdownGracefully()
        log.info("the daemon has ended")
    }

    private func serve(
        _ sockets: Sockets,
        _ stored: [HandedOverSockets.Stored],
        _ loop: any EventLoop,
        _ tenantLoop: any EventLoop,
        _ clients: TenantClients,
        _ trail: AuditTrail
    ) async throws {
        let prepared = try await clients.prepare(loaded)
        _ = await clients.take(prepared)
        let reloads = ReloadRequests()
        let accountRequests = AccountRequests()
        let frontend = try await Frontend.start(
            on: loop,
            loaded,
            prepared.identities,
            maxConnections: maxConnections(),
            notify: { [log] in $0.write(to: log) },
            audit: { trail.append($0) },
            askForNames: { if source.accounts.want($0) { accountRequests.ask() } },
            reload: { reloads.ask(($0, $1)) }
        )
        await clients.onSecretChange { await frontend.cache.secretChanged(of: $0) }
        let keeping = TokenKeeping(frontend, memory: source.memory, log: log)
        await keeping.begin(with: stored, isWanted: loaded.configuration.cache.keepAcrossRestarts)
        // Trapped before the daemon is ready: from then on the manager may send it at any moment.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let services = ServiceGroup(
            services: [
                MintService(cache: frontend.cache, clients: clients),
                ReloadService(
                    source: source,
                    frontend: frontend,
                    clients: clients,
                    requests: reloads,
                    hangups: hangups,
                    keeping: keeping,
                    trail: trail,
                    output: output,
                    log: log
                ),
                AccountService(frontend: frontend, resolver: source.accounts, requests: accountRequests, log: log),
                AuditService(trail: trail),
                HeartbeatService(frontend: frontend, loops: [loop, tenantLoop], interval: Watchdog.interval),
                EarlySignalService(),
                SocketWatchService(frontend: frontend, sockets: sockets, log: log),
                ServingService(frontend: frontend, sockets: sockets, tenants: tenantNames, log: log),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: log
        )
        try await services.run()
        await keeping.finish()
        try await frontend.stop()
    }

    private func maxConnections() -> Int {
        let wanted = loaded.configuration.sockets.maxConnections
        guard let limit = OpenFileLimit.raise() else { return wanted }
        let possible = min(wanted, limit.connections)
        log.info(
            "the limit of open files bounds the connections",
            metadata: [LogKey.files: "\(limit.files)", LogKey.connections: "\(possible)"]
        )
        return possible
    }

    private var tenantNames: String { loaded.configuration.tenants.keys.sorted().joined(separator: ",") }

    private func warn() {
        loaded.warn(log)
        if case .nowhere = loaded.configuration.auditDestination, loaded.configuration.audit == nil {
            log.warning("no audit trail is kept: there is no journal, and the configuration names nothing else")
        }
        for section in loaded.configuration.sectionsNotInForce {
            log.warning(
                "this version checks a section of the configuration but does not act on it",
                metadata: [LogKey.section: "\(section)"]
            )
        }
    }
}
