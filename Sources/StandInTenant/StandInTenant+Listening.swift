import NIOCore
import NIOHTTP1
import NIOSSL

extension StandInTenant {
    /// Stops it: what hangs is reset, its ports are free when this returns.
    ///
    /// Stopping it twice does nothing more.
    ///
    /// What it has counted can still be asked for.
    package func stop() async throws {
        isStopped = true
        reopening?.cancel()
        waits.endAll(Fault("the stand-in was stopped"))
        let ends = (Array(listeners.values) + Array(connections.values)).map(\.closeFuture)
        for origin in Array(listeners.keys) { close(origin) }
        resetConnections()
        for end in ends { try await end.get() }
        reservations = [:]
    }

    /// Takes no connections any more, and resets those that there are, as a server that has died.
    package func stopListening() async throws {
        reopening?.cancel()
        let end = listeners[.tenant]?.closeFuture
        close(.tenant)
        resetConnections()
        try await end?.get()
    }

    /// Takes connections again, on the same port.
    package func startListening() async throws {
        reopening?.cancel()
        guard !isStopped else { throw Fault("the stand-in was stopped") }
        guard listeners[.tenant] == nil else { return }
        try await open(.tenant).get()
    }

    /// Takes no connections for a while, and resets those that there are.
    func refuse(for duration: Duration) {
        close(.tenant)
        resetConnections()
        reopening?.cancel()
        reopening = loop.scheduleTask(in: TimeAmount(duration)) {
            self.assumeIsolated { tenant in tenant.reopen() }
        }
    }

    /// Opens one of the two servers.
    func open(_ origin: Origin) -> EventLoopFuture<Void> {
        guard let reservation = reservations[origin] else {
            return loop.makeFailedFuture(Fault("the stand-in was stopped"))
        }
        let opening = Listener.open(on: loop, at: host, port: reservation.port) { channel in
            try self.assumeIsolated { tenant in try tenant.adopt(channel, on: origin) }
        }
        return opening.map { channel in
            self.assumeIsolated { tenant in tenant.listen(channel, for: origin) }
        }
    }

    private func reopen() {
        guard !isStopped, listeners[.tenant] == nil else { return }
        open(.tenant).whenFailure { error in
            self.assumeIsolated { tenant in tenant.receiveRubbish("the stand-in can't listen again: \(error)") }
        }
    }

    /// The socket is open.
    ///
    /// The stand-in may have been stopped, or another opening may have won, meanwhile.
    private func listen(_ channel: any Channel, for origin: Origin) {
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

    /// Makes a connection's pipeline.
    private func adopt(_ channel: any Channel, on origin: Origin) throws {
        guard !isStopped else { throw Fault("the stand-in was stopped") }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(AbruptEnd())
        if let server { try pipeline.addHandler(NIOSSLServerHandler(context: server)) }
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
        try pipeline.addHandler(ConnectionHandler(tenant: self, origin: origin))
        let identity = ObjectIdentifier(channel)
        connections[identity] = channel
        machine.connectionChanged(opened: true)
        channel.closeFuture.whenComplete { _ in
            self.assumeIsolated { tenant in tenant.forget(identity) }
        }
        check()
    }

    private func forget(_ connection: ObjectIdentifier) {
        connections[connection] = nil
        machine.connectionChanged(opened: false)
        check()
    }
}
