import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension StandInTenant {
    /// As many connections may wait to be accepted as Linux allows by default (net.core.somaxconn), for tests that open
    /// a thousand at once.
    private static let backlog: CInt = 4_096

    /// Stops the stand-in and resets its connections.
    ///
    /// Its ports are free when this returns. A second call does nothing more. The counters can still be read.
    package func stop() async throws {
        isStopped = true
        reopening?.cancel()
        for number in Array(waits.keys) { endWait(number, Fault("the stand-in was stopped")) }
        let ends = (Array(listeners.values) + Array(connections.values)).map(\.closeFuture)
        for origin in Array(listeners.keys) { close(origin) }
        resetConnections()
        for end in ends { try await end.get() }
        reservations = [:]
    }

    /// Refuses new connections and resets the present ones, like a server that has crashed.
    package func stopListening() async throws {
        reopening?.cancel()
        let end = listeners[.tenant]?.closeFuture
        close(.tenant)
        resetConnections()
        try await end?.get()
    }

    /// Accepts connections again, on the same port.
    package func startListening() async throws {
        reopening?.cancel()
        guard listeners[.tenant] == nil else { return }
        try await open(.tenant).get()
    }

    /// Refuses new connections for a while and resets the present ones.
    func refuse(for duration: Duration) {
        close(.tenant)
        resetConnections()
        reopening?.cancel()
        reopening = loop.scheduleTask(in: TimeAmount(duration)) {
            self.assumeIsolated { tenant in tenant.reopen() }
        }
    }

    /// Opens one of the two servers, whose channels all run on the stand-in's loop.
    func open(_ origin: Origin) -> EventLoopFuture<Void> {
        guard let port = reservations[origin]?.port, !isStopped else {
            return loop.makeFailedFuture(Fault("the stand-in was stopped"))
        }
        return ServerBootstrap(group: loop, childGroup: loop)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)  // The port's reservation has it, too.
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)  // A reply may be single bytes with pauses.
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.assumeIsolated { tenant in try tenant.adopt(channel, on: origin) }
                }
            }
            .bind(host: "127.0.0.1", port: port)
            .map { channel in self.assumeIsolated { tenant in tenant.opened(channel, for: origin) } }
    }

    private func reopen() {
        guard !isStopped, listeners[.tenant] == nil else { return }
        open(.tenant).whenFailure { error in
            self.assumeIsolated { tenant in tenant.receiveMalformed("the stand-in can't listen again: \(error)") }
        }
    }

    /// Keeps a listening socket, unless the stand-in was stopped or opened another one in the meantime.
    private func opened(_ channel: any Channel, for origin: Origin) {
        if isStopped || listeners[origin] != nil {
            channel.close(promise: nil)
        } else {
            listeners[origin] = channel
        }
    }

    private func close(_ origin: Origin) {
        listeners.removeValue(forKey: origin)?.close(promise: nil)
    }

    private func resetConnections() {
        for channel in Array(connections.values) {
            channel.triggerUserOutboundEvent(ResetConnection(), promise: nil)
        }
    }

    /// Sets up a connection's pipeline, before its first byte is read.
    private func adopt(_ channel: any Channel, on origin: Origin) throws {
        guard !isStopped else { throw Fault("the stand-in was stopped") }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(ResetHandler())
        if let server { try pipeline.addHandler(NIOSSLServerHandler(context: server)) }
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
        try pipeline.addHandler(ConnectionHandler(tenant: self, origin: origin))
        connections[ObjectIdentifier(channel)] = channel
        machine.log.counters.openConnections += 1
        machine.log.counters.connections += 1
        channel.closeFuture.whenComplete { _ in
            self.assumeIsolated { tenant in tenant.forget(ObjectIdentifier(channel)) }
        }
        checkWaits()
    }

    private func forget(_ connection: ObjectIdentifier) {
        connections[connection] = nil
        machine.log.counters.openConnections -= 1
        checkWaits()
    }
}
