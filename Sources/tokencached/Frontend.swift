import DaemonConfiguration
import Dispatch
import NIOCore
import OperatorReplies
import Secrets
import SocketServer
import Systemd
import TokenCache
import TokenProtocol

/// What lives on the cache's event loop: the cache itself, its timer, the dispatch of requests and the server.
struct Frontend: Sendable {
    /// The loop.
    let eventLoop: any EventLoop
    /// The cache.
    let cache: TokenCache
    private let timer: NIOLoopBound<BootTimeTimer>
    /// Fires at once, but not before the loop has looked at all sockets again.
    private let rounds: NIOLoopBound<BootTimeTimer>
    private let dispatcher: NIOLoopBound<RequestDispatcher>
    private let server: NIOLoopBound<SocketServer>

    /// Sets everything up; nothing is listened on yet.
    ///
    /// - Parameters:
    ///   - identities: The tenants' identities, by name.
    ///   - notify: Tells operators something about a tenant.
    ///   - audit: Keeps a record in the audit trail.
    ///   - askForNames: Has the names of a peer looked up.
    ///   - reload: Has the configuration read again for an operator who waits.
    static func start(
        on loop: any EventLoop,
        _ loaded: ConfigurationSource.Loaded,
        _ identities: [String: TenantID],
        maxConnections: Int,
        notify: @escaping @Sendable (CacheNotice) -> Void,
        audit: @escaping @Sendable (AuditRecord) -> Void,
        askForNames: @escaping @Sendable (Peer) -> Void,
        reload: @escaping @Sendable (Waiter, Peer) -> Void
    ) async throws -> Frontend {
        // The cache wakes by the timer and answers by the server, and both need the cache: the boxes break the circle.
        let timerBox = NIOLoopBoundBox.makeEmptyBox(valueType: BootTimeTimer.self, eventLoop: loop)
        let serverBox = NIOLoopBoundBox.makeEmptyBox(valueType: SocketServer.self, eventLoop: loop)
        let dispatcherBox = NIOLoopBoundBox.makeEmptyBox(valueType: RequestDispatcher.self, eventLoop: loop)
        let cache = TokenCache(
            on: loop.executor,
            policy: loaded.configuration.cachePolicy,
            tenants: loaded.configuration.tenantPolicies(identities),
            dependencies: TokenCache.Dependencies(
                wake: { timerBox.value?.schedule(at: $0, now: ContinuousClock.now) },
                deliver: { delivery in
                    dispatcherBox.value?.delivered(delivery.reply)
                    serverBox.value?.deliver(delivery.reply, to: delivery.waiter)
                },
                notify: notify,
                audit: audit
            )
        )
        let memory = DispatchQueue(label: "tokencached.memory", qos: .background)
        let timer = try await BootTimeTimer.start(on: loop) {
            timerBox.value?.hasFired()
            cache.assumeIsolated { $0.timePassed() }
        }
        let roundsBox = NIOLoopBoundBox.makeEmptyBox(valueType: BootTimeTimer.self, eventLoop: loop)
        let rounds = try await BootTimeTimer.start(on: loop) {
            roundsBox.value?.hasFired()
            serverBox.value?.nextRound()
        }
        return try await loop.submit {
            let dispatcher = RequestDispatcher(
                cache: cache,
                access: loaded.access(identities),
                dependencies: RequestDispatcher.Dependencies(
                    version: Version.current,
                    now: { ContinuousClock.now },
                    reload: reload,
                    audit: audit,
                    askForNames: askForNames,
                    fillConnections: { serverBox.value?.fill(&$0) }
                )
            )
            let server = SocketServer(
                on: loop,
                maxConnections: maxConnections,
                connectionShare: loaded.configuration.quotas.connections,
                requestHandler: dispatcher,
                unitOf: { try PeerUnit.of($0) },
                scheduleNextRound: {
                    let now = ContinuousClock.now
                    roundsBox.value?.schedule(at: now, now: now)
                },
                releaseMemory: { memory.async { ProcessHeap.trim() } }
            )
            (timerBox.value, dispatcherBox.value, serverBox.value) = (timer.value, dispatcher, server)
            roundsBox.value = rounds.value
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

    /// Serves a socket that is bound and listening.
    func listen(on socket: DaemonSocket) async throws {
        try await eventLoop.flatSubmit {
            server.value.listen(on: socket.descriptor, kind: socket.kind, isHandedOver: socket.isHandedOver)
        }.get()
    }

    /// Serves a socket that takes the place of one whose name is gone; connections that are open stay.
    func listen(on descriptor: CInt, inPlaceOf socket: DaemonSocket) async throws {
        try await eventLoop.flatSubmit {
            server.value.listen(on: descriptor, kind: socket.kind)
        }.get()
        try await eventLoop.submit { server.value.closeOlderListeners(socket.kind) }.get()
    }

    /// Notes what is wrong with the daemon itself, for `health`; nil: nothing any more.
    func note(_ check: HealthReply.Check?, named name: String) async {
        try? await eventLoop.submit { dispatcher.value.checks[name] = check }.get()
    }

    /// Hands a reply to one who waits.
    func deliver(_ reply: Reply, to waiter: Waiter) {
        eventLoop.execute {
            dispatcher.value.delivered(reply)
            server.value.deliver(reply, to: waiter)
        }
    }

    /// What the cache keeps for the next daemon is in safety.
    func stored(_ generation: UInt64) {
        eventLoop.execute { cache.assumeIsolated { $0.stored(generation) } }
    }

    /// Takes over another configuration, all at once: no request meets a tenant that only a part of the daemon knows.
    func apply(_ loaded: ConfigurationSource.Loaded, _ identities: [String: TenantID]) async throws {
        let (policy, tenants) = (loaded.configuration.cachePolicy, loaded.configuration.tenantPolicies(identities))
        try await eventLoop.submit {
            dispatcher.value.access = loaded.access(identities)
            server.value.connectionShare = loaded.configuration.quotas.connections
            cache.assumeIsolated { $0.reconfigure(policy: policy, tenants: tenants) }
        }.get()
    }

    /// Takes over what the name service says.
    func apply(_ accounts: KnownAccounts) async {
        try? await eventLoop.submit {
            guard dispatcher.value.access.accounts != accounts else { return }
            dispatcher.value.access.resolve(accounts)
        }.get()
    }

    /// The names in the access rules that this machine doesn't know now.
    var unresolvedNames: AccountNames {
        get async { (try? await eventLoop.submit { dispatcher.value.access.unresolvedNames }.get()) ?? AccountNames() }
    }

    /// Stops accepting, answers what is under way, closes.
    func drain(within deadline: TimeAmount) async throws {
        try await eventLoop.flatSubmit { server.value.drain(within: deadline) }.get()
    }

    /// Ends the timers.
    func stop() async throws {
        try await eventLoop.submit {
            timer.value.close()
            rounds.value.close()
        }.get()
    }
}
