import Audit
import DaemonConfiguration
package import Logging
import MetricsServer
import NIOCore
import NIOPosix
import OperatorReplies
import Reactor
import ServiceLifecycle
import SocketServer
import Systemd
import TokenCache
import TokenStorage
package import UnixSignals

// DaemonRuntime: the daemon as a whole, from its start to its end.
//
// Purpose: the modules below know nothing of the configuration, of each other's life or of the service manager.
// This module reads the configuration with the secrets that it names, creates the parts, gives them their settings at
// the start and at each reload, runs the services and ends them in order. It promises that a configuration with a fault
// changes nothing, that neither a failed start nor an end leaves a socket's name behind, and that the daemon is
// announced as ready only when it serves.

/// Creates the daemon's parts, runs them until a signal ends them, and closes them.
package struct DaemonRuntime: Sendable {
    /// The signals that the running daemon handles.
    package struct Signals: Sendable {
        /// The signals that begin the shutdown.
        package var shutdown: [UnixSignal]
        /// The signals that cause a reload.
        package var reload: [UnixSignal]

        /// Creates a set of signals, by default those of a daemon that systemd runs.
        package init(shutdown: [UnixSignal] = [.sigterm, .sigint], reload: [UnixSignal] = [.sighup]) {
            self.shutdown = shutdown
            self.reload = reload
        }
    }

    private let source: ConfigurationSource
    private let loaded: LoadedConfiguration
    private let settings: StartSettings
    private let output: LogOutput
    private let log: Logger
    private let signals: Signals

    /// Creates a daemon, which touches nothing before ``run()``.
    ///
    /// - Parameters:
    ///   - source: The source of the reloads' configurations.
    ///   - loaded: The first configuration.
    ///   - output: The output that `log` writes to.
    package init(
        _ source: ConfigurationSource,
        _ loaded: LoadedConfiguration,
        _ output: LogOutput,
        _ log: Logger,
        signals: Signals = Signals()
    ) {
        self.source = source
        self.loaded = loaded
        settings = StartSettings(loaded.configuration)
        self.output = output
        self.log = log
        self.signals = signals
    }

    /// Serves until a signal, or the graceful shutdown of the task that it runs in.
    package func run() async throws {
        let handedOver = try HandedOverSockets.take()
        let sockets = try Sockets(handedOver, settings)
        defer { sockets.removeNames() }
        let exporter = MetricsExporter()
        let incidents = OwnIncidents(log: log)
        let auditTrail = AuditTrail(to: try AuditTrail.open(.nowhere), metrics: exporter.registry) {
            $0.note(in: incidents.auditGap, now: .now)
        }
        defer {
            let isComplete = auditTrail.flush()
            incidents.auditGap.finish()
            if !isComplete { log.error("not all records of the audit trail were written before the end") }
        }
        // A thread of its own for the cache and the connections, and an event loop for the tenants: TLS and replies
        // never delay a hit.
        let reactor = try Reactor.start(named: "requests")
        let tenantGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // A third for HTTP: its clients delay neither by their number, and are answered even if the others are stuck.
        let metricsGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let clients = TenantClients(source, on: tenantGroup, log: log)
        let result = await Result.of {
            let loops = Loops(requests: reactor, tenants: tenantGroup.next(), metrics: metricsGroup)
            try await serve(sockets, handedOver.stored, loops, clients, auditTrail, incidents, exporter)
        }
        await clients.shutdown()
        let shutdown = await Result.of {
            try await metricsGroup.shutdownGracefully()
            try await tenantGroup.shutdownGracefully()
        }
        reactor.stop()
        // The first fault is the reason for the end, and decides the exit status.
        try result.get()
        try shutdown.get()
        log.info("the daemon has ended")
    }

    /// The event loops of the daemon.
    private struct Loops {
        let requests: Reactor
        let tenants: any EventLoop
        let metrics: any EventLoopGroup
    }

    /// The sources of the pages that are served by HTTP.
    private func pages(
        _ frontend: Frontend,
        _ loops: Loops,
        _ phase: ServingPhase,
        _ exporter: MetricsExporter
    ) -> Pages {
        Pages(
            metrics: {
                let text = await exporter.render()
                return text.isEmpty ? nil : text
            },
            loops: ["requests": { await frontend.takeTurn() }, "tenants": Self.turn(of: loops.tenants)],
            readiness: {
                let checks = await frontend.health.checks
                return HealthReply(checks: checks + [phase.check].compactMap(\.self))
            }
        )
    }

    private static func turn(of loop: any EventLoop) -> @Sendable () async -> Void {
        { try? await loop.submit {}.get() }
    }

    private func serve(
        _ sockets: Sockets,
        _ stored: [HandedOverSockets.Stored],
        _ loops: Loops,
        _ clients: TenantClients,
        _ auditTrail: AuditTrail,
        _ incidents: OwnIncidents,
        _ exporter: MetricsExporter
    ) async throws {
        let (reloads, accounts) = (ReloadRequests(), AccountRequests())
        let limit = OpenFileLimit.raise()
        let memory = try openMemory(stored)
        memory.writeLimits(to: log)
        let files = memory.files
        let fleet = FleetMembership(on: loops.tenants, memory: source.memory, files, log: log)
        let frontend = Frontend(
            on: loops.requests,
            maxConnections: min(settings.maxConnections, limit?.connections ?? .max),
            memory: CacheMemory(storage: memory.storage, clock: BootClock(), secrets: source.memory),
            output,
            log: log,
            dependencies(auditTrail, reloads, accounts, exporter, fleet)
        )
        let phase = ServingPhase()
        let metrics = MetricsEndpoint(frontend, pages(frontend, loops, phase, exporter), on: loops.metrics, log: log)
        let components = await components(frontend, clients, fleet, files, auditTrail, metrics)
        await components.apply(try await components.prepare(loaded))
        warn(limit)
        // Trapped before the daemon is ready: from then on the manager may send it at any moment.
        let reloadSignals = await UnixSignalsSequence(trapping: signals.reload)
        let reload = ReloadService(
            Reload(from: source, into: components, log: log, incident: incidents.wrongConfiguration),
            frontend,
            requests: reloads,
            signals: reloadSignals,
            auditTrail: auditTrail,
            metrics: ReloadMetrics(exporter)
        )
        let services = ServiceGroup(
            services: services(components, sockets, reload, accounts, incidents, exporter, loops, phase)
                .map(NamedService.init),
            gracefulShutdownSignals: signals.shutdown,
            logger: log
        )
        let result = await Result.of { try await services.run() }
        // Also after a fault of a service, so that the next daemon gets all tokens.
        await components.fleet.shutDown(frontend)
        await components.persistence.finish()
        await frontend.stop()
        try result.get()
    }

    /// Opens the memory for the tokens, which are the last daemon's if the configuration wants that.
    private func openMemory(_ stored: [HandedOverSockets.Stored]) throws(NoMemory) -> sending TokenMemory {
        try TokenMemory.open(
            inheriting: stored.map { ($0.name, $0.descriptor) },
            isWanted: loaded.configuration.keepsAcrossRestarts && ServiceManagerStore().isAvailable,
            onShortage: { [log] in $0.write(to: log) }
        )
    }

    /// The services in the order of their start.
    ///
    /// They end in the opposite order: serving first, so that a drain still gets its mints.
    private func services(
        _ components: Components,
        _ sockets: Sockets,
        _ reload: ReloadService,
        _ accounts: AccountRequests,
        _ incidents: OwnIncidents,
        _ exporter: MetricsExporter,
        _ loops: Loops,
        _ phase: ServingPhase
    ) -> [any DaemonService] {
        let frontend = components.frontend
        return [
            MetricsService(exporter, frontend, output: output),
            MetricsEndpointService(components.metrics),
            MintService(cache: frontend.cache, clients: components.clients),
            PrefetchService(components.prefetchFiles),
            reload,
            AccountService(frontend, source.accounts, requests: accounts, log: log),
            AuditService(auditTrail: components.auditTrail),
            IncidentService(frontend, incidents),
            FleetService(frontend, components.fleet),
            MemoryService(components.clients, release: UnusedMemory.release),
            HeartbeatService(
                frontend,
                turns: [{ await frontend.takeTurn() }, Self.turn(of: loops.tenants)],
                interval: Watchdog.interval
            ),
            EarlySignalService(),
            SocketWatchService(frontend, sockets, log: log),
            ServingService(frontend, sockets, phase, tenants: tenantNames, log: log) { [clients = components.clients] in
                await clients.readAuthorities()
                // Only the start needed it.
                await UnusedMemory.releaseAndWait()
            },
        ]
    }

    private func components(
        _ frontend: Frontend,
        _ clients: TenantClients,
        _ fleet: FleetMembership,
        _ files: TokenMemory.Files,
        _ auditTrail: AuditTrail,
        _ metrics: MetricsEndpoint
    ) async -> Components {
        await clients.onSecretChange { await frontend.cache.secretChanged(of: $0) }
        return Components(
            frontend: frontend,
            clients: clients,
            fleet: fleet,
            persistence: TokenPersistence(frontend, files, log: log),
            auditTrail: auditTrail,
            metrics: metrics,
            output: output,
            log: log
        )
    }

    private func dependencies(
        _ auditTrail: AuditTrail,
        _ reloads: ReloadRequests,
        _ accounts: AccountRequests,
        _ exporter: MetricsExporter,
        _ fleet: FleetMembership
    ) -> Frontend.Dependencies {
        let (log, resolver) = (log, source.accounts)
        return Frontend.Dependencies(
            notify: { $0.write(to: log) },
            audit: { auditTrail.append($0) },
            askForNames: { if resolver.want($0) { accounts.ask() } },
            reload: { reloads.ask(($0, $1)) },
            metrics: { exporter.ask($0) },
            fleet: { fleet.perform($0) },
            fillFleet: { fleet.fill(&$0) }
        )
    }

    /// The most tenants that the log names.
    private static let maxNames = 20

    private var tenantNames: String {
        let names = loaded.configuration.tenants.keys.sorted()
        let more = names.count > Self.maxNames ? ["and \(names.count - Self.maxNames) more"] : []
        return (names.prefix(Self.maxNames) + more).joined(separator: ",")
    }

    /// Logs, once per start, where the daemon does less than its configuration suggests.
    private func warn(_ limit: OpenFileLimit?) {
        if let limit {
            let connections = min(settings.maxConnections, limit.connections)
            log.log(
                level: connections < settings.maxConnections ? .warning : .info,
                "the limit of open files bounds the connections",
                metadata: [LogKey.files: "\(limit.files)", LogKey.connections: "\(connections)"]
            )
        }
        if case .nowhere = loaded.configuration.auditDestination, loaded.configuration.audit == nil {
            log.warning("no audit trail is kept: there is no journal, and the configuration names nothing else")
        }
    }
}
