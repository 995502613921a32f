package import Logging
package import OperatorReplies
package import Reactor
package import SocketServer
import Systemd
package import TokenCache
package import TokenProtocol

/// The parts that live on the reactor: the cache, its timer, the dispatch of requests, the server, and the log's level.
///
/// It starts without tenants and rejects all requests. ``apply(_:)`` gives it its settings. Its executor is the same as
/// the cache's, so that it calls the cache without a hop.
package actor Frontend {
    /// The parts of the daemon that the frontend calls.
    ///
    /// None of these calls may block.
    package struct Dependencies: Sendable {
        /// Notifies operators of a change at a tenant.
        package var notify: @Sendable (CacheNotice) -> Void
        /// Appends a record to the audit trail.
        package var audit: @Sendable (AuditRecord) -> Void
        /// Requests a look-up of a peer's names.
        package var askForNames: @Sendable (Peer) -> Void
        /// Requests a reload for an operator who waits for its result.
        package var reload: @Sendable (Waiter, Peer) -> Void
        /// Requests the metrics for a request that waits, or returns false if too many wait already.
        package var metrics: @Sendable (Waiter) -> Bool
        /// Asks or tells the second level something.
        package var fleet: @Sendable (FleetOrder) -> Void
        /// Adds the state of the fleet to the statistics, if the daemon is in one.
        package var fillFleet: @Sendable (inout StatsReply) -> Void

        /// Creates dependencies whose calls do nothing by default.
        package init(
            notify: @escaping @Sendable (CacheNotice) -> Void = { _ in },
            audit: @escaping @Sendable (AuditRecord) -> Void = { _ in },
            askForNames: @escaping @Sendable (Peer) -> Void = { _ in },
            reload: @escaping @Sendable (Waiter, Peer) -> Void = { _, _ in },
            metrics: @escaping @Sendable (Waiter) -> Bool = { _ in false },
            fleet: @escaping @Sendable (FleetOrder) -> Void = { _ in },
            fillFleet: @escaping @Sendable (inout StatsReply) -> Void = { _ in }
        ) {
            self.notify = notify
            self.audit = audit
            self.askForNames = askForNames
            self.reload = reload
            self.metrics = metrics
            self.fleet = fleet
            self.fillFleet = fillFleet
        }
    }

    /// The cache.
    package nonisolated let cache: TokenCache
    private nonisolated let reactor: Reactor
    private let dispatcher: RequestDispatcher
    private let server: SocketServer
    private let levels: LogLevelControl
    private let timer: ReactorTimer

    /// The reactor, which is the cache's executor, too.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe reactor.asUnownedSerialExecutor() }

    /// Creates the cache, its timer, the dispatcher and the server.
    ///
    /// Nothing is listened on yet.
    ///
    /// - Parameters:
    ///   - output: The output whose level operators set.
    ///   - log: The log that writes to it.
    package init(
        on reactor: Reactor,
        maxConnections: Int,
        memory: sending CacheMemory,
        _ output: LogOutput,
        log: Logger,
        _ dependencies: Dependencies
    ) {
        let reference = FrontendReference()
        let cache = Self.makeCache(on: reactor, in: memory, reference, dependencies)
        let levels = LogLevelControl(output, log: log, on: reactor)
        let dispatcher = Self.makeDispatcher(cache, levels, reference, dependencies)
        (self.cache, self.reactor, self.levels, self.dispatcher) = (cache, reactor, levels, dispatcher)
        server = Self.makeServer(on: reactor, maxConnections, dispatcher)
        timer = ReactorTimer(on: reactor) { cache.assumeIsolated { $0.timePassed() } }
        reference.set(self)
    }

    private static func makeCache(
        on reactor: Reactor,
        in memory: sending CacheMemory,
        _ reference: FrontendReference,
        _ dependencies: Dependencies
    ) -> TokenCache {
        TokenCache(
            on: reactor,
            policy: CachePolicy(),
            tenants: [:],
            memory: memory,
            dependencies: TokenCache.Dependencies(
                wake: { time in reference.use { $0.timer.schedule(at: time) } },
                deliver: { delivery in reference.use { $0.server.deliver(delivery.reply, to: delivery.waiter) } },
                notify: dependencies.notify,
                audit: dependencies.audit,
                fleet: dependencies.fleet
            )
        )
    }

    private static func makeDispatcher(
        _ cache: TokenCache,
        _ levels: LogLevelControl,
        _ reference: FrontendReference,
        _ dependencies: Dependencies
    ) -> RequestDispatcher {
        RequestDispatcher(
            cache: cache,
            access: AccessPolicy(
                directory: TenantDirectory(scopes: [:], defaultTenant: nil),
                rules: [],
                administrators: PeerSet()
            ),
            dependencies: RequestDispatcher.Dependencies(
                version: Version.current,
                now: { ContinuousClock.now },
                reload: dependencies.reload,
                metrics: dependencies.metrics,
                audit: dependencies.audit,
                askForNames: dependencies.askForNames,
                setLogLevel: { levels.set($0) },
                logCheck: { levels.check },
                fillConnections: { stats in reference.use { $0.server.fill(&stats) } },
                fillFleet: dependencies.fillFleet
            )
        )
    }

    private static func makeServer(
        on reactor: Reactor,
        _ maxConnections: Int,
        _ dispatcher: RequestDispatcher
    ) -> SocketServer {
        SocketServer(
            on: reactor,
            maxConnections: maxConnections,
            requestHandler: dispatcher,
            unitOf: { try PeerUnit.of($0) },
            releaseMemory: UnusedMemory.trimHeap
        )
    }

    /// Tells the cache something from another thread, in one of the next turns and in the order of the calls.
    nonisolated func tellCache(_ body: @escaping @Sendable (isolated TokenCache) -> Void) {
        reactor.execute { [cache] in cache.assumeIsolated(body) }
    }

    /// Waits for a turn of the reactor, which shows that it is not stuck.
    package func takeTurn() {}

    // MARK: Settings

    /// Applies settings, all at once: no request meets a tenant that only a part of the daemon knows.
    package func apply(_ settings: RuntimeSettings) {
        levels.configure(settings.logLevel)
        dispatcher.access = settings.access
        server.connectionShare = settings.connectionShare
        cache.assumeIsolated { $0.reconfigure(policy: settings.cachePolicy, tenants: settings.tenantPolicies) }
    }

    /// The share of the connections that one uid may have while all connections are taken.
    package var connectionShare: Double { server.connectionShare }

    /// Applies the name service's answers to the access rules.
    package func apply(_ accounts: KnownAccounts) {
        guard dispatcher.access.accounts != accounts else { return }
        dispatcher.access.resolve(accounts)
    }

    /// The names in the access rules that this machine doesn't know now.
    package var unresolvedNames: AccountNames { dispatcher.access.unresolvedNames }

    // MARK: Serving

    /// Serves a socket that is bound and listening.
    package func listen(on socket: DaemonSocket) throws {
        server.start()
        try server.listen(on: socket.descriptor, kind: socket.kind, isHandedOver: socket.isHandedOver)
    }

    /// Serves a descriptor in place of a socket whose name is gone.
    ///
    /// Connections that are open stay.
    package func listen(on descriptor: CInt, inPlaceOf socket: DaemonSocket) throws {
        try server.listen(on: descriptor, kind: socket.kind)
        server.closeOlderListeners(socket.kind)
    }

    /// The counts of connections that could not be served.
    package var connectionFaults: ConnectionFaults { server.connectionFaults }

    /// Sets or, by nil, ends a failed check of the daemon itself, which `health` shows.
    package func note(_ check: HealthReply.Check?, named name: String) { dispatcher.checks[name] = check }

    /// The results of the daemon's checks.
    package var health: HealthReply { dispatcher.currentHealth() }

    /// Delivers a reply to a waiter.
    package func deliver(_ reply: Reply, to waiter: Waiter) { server.deliver(reply, to: waiter) }

    /// The state of the cache and of the server for metrics.
    package var snapshot: ServerSnapshot { dispatcher.snapshot() }

    /// Stops accepting, answers the requests under way, and closes.
    package func drain(within deadline: Duration) async {
        await withCheckedContinuation { done in server.drain(within: deadline) { done.resume() } }
    }

    /// Cancels the timers.
    package func stop() {
        timer.schedule(at: nil)
        levels.stop()
    }
}
