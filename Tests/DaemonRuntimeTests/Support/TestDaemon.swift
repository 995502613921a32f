import Audit
import DaemonConfiguration
import DaemonRuntime
import Dispatch
import Foundation
import MetricsServer
import NIOCore
import NIOPosix
import OperatorReplies
import Reactor
import Secrets
import StandInTenant
import Systemd
import TestSupport
import TokenCache
import TokenStorage

/// The daemon's parts in this process, beside a stand-in tenant, on sockets in a temporary directory.
final class TestDaemon: Sendable {
    let directory: TemporaryDirectory
    let tenant: StandInTenant
    let log = RecordedLog()
    let exporter = MetricsExporter()
    let reloadMetrics: ReloadMetrics
    let source: ConfigurationSource
    let components: Components
    let sockets: Sockets
    let reload: Reload
    private let group: MultiThreadedEventLoopGroup
    private let reactor: Reactor

    var frontend: Frontend { components.frontend }
    var clients: TenantClients { components.clients }

    /// Runs a daemon for as long as a test needs it.
    ///
    /// - Parameters:
    ///   - settings: Further lines of the configuration's outermost level.
    ///   - options: Further lines of the tenant's section.
    ///   - tenant: The stand-in tenant, by default a new one.
    ///   - store: The service manager's store, whose files the daemon inherits.
    ///   - retryPauses: The first and the longest pause before a file is offered to the store again, in seconds.
    ///   - names: The name service.
    static func run<Result: Sendable>(
        settings: String = "",
        options: String = "",
        tenant: StandInTenant? = nil,
        store: StandInStore = StandInStore(isAvailable: false),
        retryPauses: (first: Double, longest: Double) = (1, 60),
        names: any NameService = MachineNameService(),
        _ body: @Sendable (TestDaemon) async throws -> Result
    ) async throws -> Result {
        let standIn = if let tenant { tenant } else { try await StandInTenant.start() }
        let daemon = try await TestDaemon(standIn, settings, options, store, retryPauses, names)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await daemon.frontend.cache.run(daemon.clients) }
            group.addTask {
                try await MetricsService(daemon.exporter, daemon.frontend, output: daemon.log.output).run()
            }
            let result = await Swift.Result { try await body(daemon) }
            try await daemon.end()
            try await group.waitForAll()
            try await daemon.group.shutdownGracefully()
            if tenant == nil { try await standIn.stop() }
            return try result.get()
        }
    }

    private init(
        _ tenant: StandInTenant,
        _ settings: String,
        _ options: String,
        _ store: StandInStore,
        _ retryPauses: (first: Double, longest: Double),
        _ names: any NameService
    ) async throws {
        self.tenant = tenant
        reloadMetrics = ReloadMetrics(exporter)
        directory = try TemporaryDirectory()
        try directory.write(tenant.clientSecret, to: "secret")
        try directory.write(Self.configuration(tenant, directory, settings, options), to: "c.yaml")
        source = ConfigurationSource(
            path: directory.path("c.yaml"),
            requestsPath: directory.path("r"),
            adminPath: directory.path("a"),
            environment: [:],
            memory: SecretMemory(),
            accounts: AccountResolver(names)
        )
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let auditTrail = AuditTrail(to: try AuditTrail.open(.nowhere), metrics: exporter.registry) { _ in }
        let loaded = try source.load()
        let resolver = source.accounts
        sockets = try Sockets(HandedOverSockets(), StartSettings(loaded.configuration))
        let reactor = try Reactor.start(named: "test")
        self.reactor = reactor
        let logger = log.logger
        let memory = try TokenMemory.open(
            inheriting: store.handOver(),
            isWanted: loaded.configuration.keepsAcrossRestarts && store.isAvailable,
            onShortage: { _ in }
        )
        let files = memory.files
        let fleet = FleetMembership(on: group.next(), memory: source.memory, files, log: logger)
        let frontend = Frontend(
            on: reactor,
            maxConnections: 100,
            memory: CacheMemory(storage: memory.storage, clock: BootClock(), secrets: source.memory),
            log.output,
            log: logger,
            Frontend.Dependencies(
                notify: { $0.write(to: logger) },
                audit: { auditTrail.append($0) },
                askForNames: { _ = resolver.want($0) },
                metrics: { [exporter] in exporter.ask($0) },
                fleet: { fleet.perform($0) },
                fillFleet: { fleet.fill(&$0) }
            )
        )
        let clients = TenantClients(source, on: group.next(), log: log.logger)
        await clients.onSecretChange { await frontend.cache.secretChanged(of: $0) }
        components = Components(
            frontend: frontend,
            clients: clients,
            fleet: fleet,
            persistence: TokenPersistence(frontend, files, in: store, log: log.logger, retryPauses: retryPauses),
            auditTrail: auditTrail,
            metrics: MetricsEndpoint(frontend, .fixed, on: group, log: log.logger),
            output: log.output,
            log: log.logger
        )
        reload = Reload(from: source, into: components, log: log.logger)
        await components.apply(try await components.prepare(loaded))
        try await frontend.listen(on: sockets.requests)
        try await frontend.listen(on: sockets.admin)
    }

    private func end() async throws {
        sockets.removeNames()
        await frontend.drain(within: .seconds(10))
        exporter.end()
        frontend.cache.stop()
        await components.fleet.shutDown(frontend)
        await components.persistence.finish()
        await clients.shutdown()
        await frontend.stop()
        reactor.stop()
    }

    static func configuration(
        _ tenant: StandInTenant,
        _ directory: TemporaryDirectory,
        _ settings: String = "",
        _ options: String = ""
    ) -> String {
        """
        \(settings)
        tenants:
          main:
            host: \(tenant.baseURL)
            client_id: \(tenant.clientID)
            client_secret: { file: \(directory.path("secret")) }
        \(options.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))

        """
    }

    /// Writes another configuration.
    func configure(_ settings: String = "", options: String = "") throws {
        try directory.write(Self.configuration(tenant, directory, settings, options), to: "c.yaml")
    }

    // MARK: Requests

    /// Sends a line on a new connection, and returns the reply.
    func ask(_ line: String, admin: Bool = false) async throws -> Answer {
        let client = try LineClient(directory.path(admin ? "a" : "r"))
        return try await client.answer(to: line)
    }

    /// Asks for the token of a subject.
    func token(_ subject: String, _ members: String = "") async throws -> Answer {
        try await ask(#"{"op":"token","subject":"\#(subject)"\#(members.isEmpty ? "" : ",\(members)")}"#)
    }
}

/// A reply of the daemon.
struct Answer: Decodable, Sendable {
    var accessToken: String?
    var source: String?
    var error: String?
    var errorDescription: String?
    var status: String?
    var entries: Int?
    var server: String?
    var reloaded: Bool?
    var level: String?
}

extension LineClient {
    /// Sends a line, and returns the reply.
    func answer(to line: String) async throws -> Answer {
        let reply = try await onOwnThread { client in
            try client.send(line)
            return try client.line()
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Answer.self, from: Data((reply ?? "").utf8))
    }

    /// The next line, or nil if the connection has ended.
    func nextLine() async throws -> String? { try await onOwnThread { try $0.line() } }

    /// Runs a function that blocks on a thread of its own: the daemon's tasks need those that tasks share.
    private func onOwnThread(_ body: @escaping @Sendable (LineClient) throws -> String?) async throws -> String? {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try body(self) }) }
        }
    }
}

extension Result where Failure == any Error {
    /// Catches the result of an asynchronous function.
    init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

extension Pages {
    /// Pages that are always the same.
    fileprivate static var fixed: Pages {
        Pages(metrics: { "a 1\n" }, loops: [:], readiness: { HealthReply(checks: []) })
    }
}
