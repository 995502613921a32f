import NIOCore
import NIOPosix
import NIOSSL

/// Opens connections to a tenant: looks up its name, connects, and performs the TLS handshake.
///
/// The name is looked up for each connection. With a proxy, it is the proxy's name, and the proxy looks up the
/// tenant's.
struct Connector: Sendable {
    let tenant: Endpoint
    let proxy: ProxySettings?
    let group: any EventLoopGroup

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - trust: The authorities. A tenant with TLS needs them.
    ///   - time: The time limit for all of it.
    /// - Throws: ``CallFault``.
    func connect(_ trust: NIOSSLContext?, within time: Duration) async throws -> any Channel {
        let deadline = ContinuousClock.now + time
        let channel = try await dial(within: time)
        do {
            if let proxy { try await tunnel(channel, proxy, until: deadline) }
            if tenant.isSecure {
                guard let trust else { throw CallFault(.tlsFailed) }
                try await secure(channel, trust, until: deadline)
            }
            return channel
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    /// Connects to the tenant or its proxy.
    ///
    /// - Parameter address: One of the host's addresses, or nil to look the name up and use the first that answers.
    func dial(to address: SocketAddress? = nil, within time: Duration) async throws -> any Channel {
        let bootstrap = ClientBootstrap(group: group.next())
            .connectTimeout(TimeAmount(max(time, .milliseconds(1))))
            // Bytes that arrive before there is a handler for them would be lost.
            .channelOption(.autoRead, value: false)
        do {
            if let address { return try await bootstrap.connect(to: address).get() }
            return try await bootstrap.connect(host: host, port: port).get()
        } catch {
            throw CallFault.connecting(error, at: proxy == nil ? .tenant : .proxy)
        }
    }

    /// The host to connect to, the proxy's if there is one.
    var host: String { proxy?.host ?? tenant.host }
    /// The port to connect to.
    var port: Int { proxy?.port ?? tenant.port }

    /// Asks the proxy for a tunnel to the tenant.
    func tunnel(
        _ channel: any Channel,
        _ proxy: ProxySettings,
        until deadline: ContinuousClock.Instant
    ) async throws {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.startReading(completing: promise, orFailingWith: CallFault(.connectionLost, at: .proxy)) { pipeline in
            try pipeline.addHandler(TunnelHandler(to: tenant.hostAndPort, by: proxy, promise))
        }
        try await promise.value(until: deadline, or: CallFault(.answerTimeout, at: .proxy))
    }

    /// Performs the TLS handshake.
    ///
    /// - Parameter seen: Gets the tenant's certificate if it is rejected.
    func secure(
        _ channel: any Channel,
        _ trust: NIOSSLContext,
        until deadline: ContinuousClock.Instant,
        seen: SeenCertificate? = nil
    ) async throws {
        let name = tenant.isAddress ? nil : tenant.host
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.startReading(completing: promise, orFailingWith: CallFault(.tlsFailed)) { pipeline in
            try pipeline.addHandler(HandshakeHandler(promise, seen))
            try pipeline.addHandler(NIOSSLClientHandler(context: trust, serverHostname: name), position: .first)
        }
        try await promise.value(until: deadline, or: CallFault(.tlsTimeout))
    }
}
