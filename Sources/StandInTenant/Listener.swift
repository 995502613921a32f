import NIOCore
import NIOPosix

/// Opens a server's socket.
enum Listener {
    /// As many connections may wait to be accepted as Linux allows by default (net.core.somaxconn), so that a thousand
    /// that come at once are all taken.
    private static let backlog: CInt = 4_096

    /// Listens, and hands over every connection before its first byte is read; all of it on one loop.
    static func open(
        on loop: any EventLoop,
        at host: LoopbackHost,
        port: Int,
        adopt: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: loop, childGroup: loop)
            .serverChannelOption(.backlog, value: backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)  // The port's reservation has it too.
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)  // A reply may be single bytes with pauses.
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try adopt(channel) }
            }
            .bind(host: host.address, port: port)
    }
}
