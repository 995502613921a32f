import NIOCore
import NIOPosix
import NIOSSL
import Tenant

/// Opens connections to the nodes of an engine.
struct EngineDialer {
    /// The least time for a connection and its handshakes.
    ///
    /// Nobody waits for them, and TLS takes several round trips.
    static let leastTime = Duration.seconds(2)

    let settings: FleetSettings
    let trust: TrustStore?
    let loop: any EventLoop

    /// The time limit for a connection with its handshakes.
    var time: Duration { max(settings.timeout, Self.leastTime) }

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - opened: Called when commands can be sent, unless the connection fails before. The TLS handshake may go on.
    ///   - closed: Called once when the connection fails or is lost.
    /// - Returns: The connection, which is not open yet.
    func dial(
        _ address: EngineAddress,
        opened: @escaping () -> Void,
        closed: @escaping (EngineFault, String) -> Void
    ) -> EngineConnection {
        let tls = settings.url.isSecure ? (try? trust?.context()) : nil
        let connection = EngineConnection { fault, detail in
            if fault == .tls, let tls { _ = trust?.renew(after: tls, now: .now) }
            closed(fault, detail)
        }
        // In the next turn, as the connection of a Unix socket may be there at once, before the caller has this object.
        loop.assumeIsolated().execute {
            guard !settings.url.isSecure || tls != nil else {
                return connection.close(.tls, "the certificate authorities can't be read")
            }
            let future = bootstrap(connection, tls, name: address.tlsName).connect(to: address)
            future.assumeIsolated().whenComplete { result in
                switch result {
                case .success: opened()
                case .failure(let error): connection.close(.unreachable, "\(error)")
                }
            }
        }
        return connection
    }

    private func bootstrap(_ connection: EngineConnection, _ tls: NIOSSLContext?, name: String?) -> ClientBootstrap {
        let connection = NIOLoopBound(connection, eventLoop: loop)
        return ClientBootstrap(group: loop).connectTimeout(TimeAmount(time)).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name)) }
                try pipeline.addHandler(connection.value)
            }
        }
    }
}

extension EngineAddress {
    /// The name for which a certificate is checked, or nil for an IP address, which NIOSSL checks itself.
    fileprivate var tlsName: String? {
        guard case .host(let host, let port) = self else { return nil }
        return (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
    }
}

extension ClientBootstrap {
    fileprivate func connect(to address: EngineAddress) -> EventLoopFuture<any Channel> {
        switch address {
        case .host(let host, let port): connect(host: host, port: port)
        case .socket(let path): connect(unixDomainSocketPath: path)
        }
    }
}
