import Dispatch
package import NIOCore
package import OperatorReplies
import Secrets
package import SocketServer
import Systemd
package import TokenCache
package import TokenProtocol

/// The parts that live on the cache's event loop: the cache itself, its timer, the dispatch of requests and the server.
///
/// It starts without tenants and rejects all requests. ``apply(_:)`` gives it its settings.
package struct Frontend: Sendable {
    /// The event loop.
    package let eventLoop: any EventLoop
    /// The cache.
    package let cache: TokenCache
    private let timer: NIOLoopBound<BootTimeTimer>
    /// Fires at once, but only after the loop has polled all sockets.
    private let rounds: NIOLoopBound<BootTimeTimer>
    private let dispatcher: NIOLoopBound<RequestDispatcher>
    private let server: NIOLoopBound<SocketServer>

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
        /// The control of the log's level, which lives on the same event loop, or nil for none.
        package var levels: NIOLoopBound<LogLevelControl>?

        /// Creates dependencies whose calls do nothing by default.
        package init(
            notify: @escaping @Sendable (CacheNotice) -> Void = { _ in },
            audit: @escaping @Sendable (AuditRecord) -> Void = { _ in },
            askForNames: @escaping @Sendable (Peer) -> Void = { _ in },
            reload: @escaping @Sendable (Waiter, Peer) -> Void = { _, _ in },
            metrics: @escaping @Sendable (Waiter) -> Bool = { _ in false },
            levels: NIOLoopBound<LogLevelControl>? = nil
        ) {
            self.notify = notify
            self.audit = audit
            self.askForNames = askForNames
            self.reload = reload
            self.metrics = metrics
            self.levels = levels
        }
    }

    /// References between parts that need one another.
    ///
    /// The cache wakes by the timer and answers through the server, and both need the cache.
    private struct References: Sendable {
        let timer: NIOLoopBoundBox<BootTimeTimer?>
        let rounds: NIOLoopBoundBox<BootTimeTimer?>
        let server: NIOLoopBoundBox<SocketServer?>

        init(on loop: any EventLoop) {
            timer = .makeEmptyBox(eventLoop: loop)
            rounds = .makeEmptyBox(eventLoop: loop)
            server = .makeEmptyBox(eventLoop: loop)
        }
    }

    /// Creates the cache, its timers, the dispatcher and the server.
    ///
    /// Nothing is listened on yet.
    package static func start(
        on loop: any EventLoop,
        maxConnections: Int,
        memory: sending CacheMemory,
        _ dependencies: Dependencies
    ) async throws -> Frontend {
        let references = References(on: loop)
        let cache = makeCache(on: loop, in: memory, references, dependencies)
        let timer = try await BootTimeTimer.start(on: loop) {
            references.timer.value?.hasFired()
            cache.assumeIsolated { $0.timePassed() }
        }
        let rounds = try await BootTimeTimer.start(on: loop) {
            references.rounds.value?.hasFired()
            references.server.value?.nextRound()
        }
        return try await loop.submit {
            let dispatcher = makeDispatcher(cache, references, dependencies)
            let server = makeServer(on: loop, maxConnections, dispatcher, references)
            (references.timer.value, references.rounds.value) = (timer.value, rounds.value)
            references.server.value = server
            return Frontend(
                eventLoop: loop,
                cache: cache,
                timer: timer,
                rounds: rounds,
                dispatcher: NIOLoopBound(dispatcher, eventLoop: loop),
                server: NIOLoopBound(server, eventLoop: loop)
            )
        }.get()
    }

    private static func makeCache(
        on loop: any EventLoop,
        in memory: sending CacheMemory,
        _ references: References,
        _ dependencies: Dependencies
    ) -> TokenCache {
        TokenCache(
            on: loop.executor,
            policy: CachePolicy(),
            tenants: [:],
            memory: memory,
            dependencies: TokenCache.Dependencies(
                wake: { references.timer.value?.schedule(at: $0, now: ContinuousClock.now) },
                deliver: { references.server.value?.deliver($0.reply, to: $0.waiter) },
                notify: dependencies.notify,
                audit: dependencies.audit
            )
        )
    }

    private static func makeDispatcher(
        _ cache: TokenCache,
        _ references: References,
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
                setLogLevel: { dependencies.levels?.value.set($0) },
                logCheck: { dependencies.levels?.value.check },
                fillConnections: { references.server.value?.fill(&$0) }
            )
        )
    }

    private static func makeServer(
        on loop: any EventLoop,
        _ maxConnections: Int,
        _ dispatcher: RequestDispatcher,
        _ references: References
    ) -> SocketServer {
        let memory = DispatchQueue(label: "tokencached.memory", qos: .background)
        return SocketServer(
            on: loop,
            maxConnections: maxConnections,
            requestHandler: dispatcher,
            unitOf: { try PeerUnit.of($0) },
            scheduleNextRound: {
                let now = ContinuousClock.now
                references.rounds.value?.schedule(at: now, now: now)
            },
            releaseMemory: { memory.async { ProcessHeap.trim() } }
        )
    }
}

// MARK: Settings

extension Frontend {
    /// Applies settings, all at once: no request meets a tenant that only a part of the daemon knows.
    package func apply(_ settings: RuntimeSettings) async throws {
        try await eventLoop.submit {
            dispatcher.value.access = settings.access
            server.value.connectionShare = settings.connectionShare
            cache.assumeIsolated {
                $0.reconfigure(policy: settings.cachePolicy, tenants: settings.tenantPolicies)
            }
        }.get()
    }

    /// The share of the connections that one uid may have while all connections are taken.
    package var connectionShare: Double {
        get async throws { try await eventLoop.submit { server.value.connectionShare }.get() }
    }

    /// Applies the name service's answers to the access rules.
    package func apply(_ accounts: KnownAccounts) async {
        try? await eventLoop.submit {
            guard dispatcher.value.access.accounts != accounts else { return }
            dispatcher.value.access.resolve(accounts)
        }.get()
    }

    /// The names in the access rules that this machine doesn't know now.
    package var unresolvedNames: AccountNames {
        get async { (try? await eventLoop.submit { dispatcher.value.access.unresolvedNames }.get()) ?? AccountNames() }
    }
}

// MARK: Serving

extension Frontend {
    /// Serves a socket that is bound and listening.
    package func listen(on socket: DaemonSocket) async throws {
        try await eventLoop.flatSubmit {
            server.value.listen(on: socket.descriptor, kind: socket.kind, isHandedOver: socket.isHandedOver)
        }.get()
    }

    /// Serves a descriptor in place of a socket whose name is gone.
    ///
    /// Connections that are open stay.
    package func listen(on descriptor: CInt, inPlaceOf socket: DaemonSocket) async throws {
        try await eventLoop.flatSubmit {
            server.value.listen(on: descriptor, kind: socket.kind)
        }.get()
        try await eventLoop.submit { server.value.closeOlderListeners(socket.kind) }.get()
    }

    /// The counts of connections that could not be served.
    package var connectionFaults: ConnectionFaults {
        get async {
            (try? await eventLoop.submit { server.value.connectionFaults }.get()) ?? ConnectionFaults()
        }
    }

    /// Sets or, by nil, ends a failed check of the daemon itself, which `health` shows.
    package func note(_ check: HealthReply.Check?, named name: String) async {
        try? await eventLoop.submit { dispatcher.value.checks[name] = check }.get()
    }

    /// The results of the daemon's checks, or nil while it ends.
    package var health: HealthReply? {
        get async { try? await eventLoop.submit { dispatcher.value.currentHealth() }.get() }
    }

    /// Delivers a reply to a waiter.
    package func deliver(_ reply: Reply, to waiter: Waiter) {
        eventLoop.execute { server.value.deliver(reply, to: waiter) }
    }

    /// The state of the cache and of the server for metrics, or nil when the event loop has ended.
    package var snapshot: ServerSnapshot? {
        get async { try? await eventLoop.submit { dispatcher.value.snapshot() }.get() }
    }

    /// Stops accepting, answers the requests under way, and closes.
    package func drain(within deadline: TimeAmount) async throws {
        try await eventLoop.flatSubmit { server.value.drain(within: deadline) }.get()
    }

    /// Closes the timers.
    package func stop() async throws {
        try await eventLoop.submit {
            timer.value.close()
            rounds.value.close()
        }.get()
    }
}
