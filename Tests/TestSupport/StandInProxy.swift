import NIOCore
import NIOPosix
import Synchronization

/// An HTTP proxy that makes tunnels, on a loopback port of its own.
///
/// It keeps the heads of the requests, so that a test can tell the way by which a tenant was reached.
package final class StandInProxy: Sendable {
    private let heads: RequestHeads
    private let listener: any Channel

    private init(_ listener: any Channel, _ heads: RequestHeads) {
        self.listener = listener
        self.heads = heads
    }

    /// Starts a proxy.
    ///
    /// - Parameter refusal: The answer to each request instead of a tunnel, from the status line on.
    package static func start(refusing refusal: String? = nil) async throws -> StandInProxy {
        let heads = RequestHeads()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ProxyHandler(heads, refusal))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        return StandInProxy(listener, heads)
    }

    /// The port on 127.0.0.1.
    package var port: Int { listener.localAddress?.port ?? 0 }

    /// The heads of the requests received.
    package var requests: [String] { heads.texts.withLock { $0 } }

    /// Stops accepting connections, but keeps the present tunnels.
    package func stop() async throws { try await listener.close() }
}

/// The heads of the requests that a proxy received.
private final class RequestHeads: Sendable {
    let texts = Mutex<[String]>([])
}

/// One connection to the proxy.
private final class ProxyHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let heads: RequestHeads
    private let refusal: String?
    private var head = ""

    init(_ heads: RequestHeads, _ refusal: String?) {
        self.heads = heads
        self.refusal = refusal
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        head += String(buffer: unwrapInboundIn(data))
        guard head.hasSuffix("\r\n\r\n") else { return }
        heads.texts.withLock { $0.append(head) }
        let words = head.split(separator: " ")
        if let refusal {
            context.channel.writeAndFlush(ByteBuffer(string: refusal), promise: nil)
            context.close(promise: nil)
        } else if words.count > 2, words[0] == "CONNECT", let colon = words[1].lastIndex(of: ":"),
            let port = Int(words[1][words[1].index(after: colon)...])
        {
            connect(context.channel, to: String(words[1][..<colon]), port)
        }
    }

    /// Connects to the tenant, and then relays the bytes of both connections.
    private func connect(_ channel: any Channel, to host: String, _ port: Int) {
        let handler = NIOLoopBound(self, eventLoop: channel.eventLoop)
        ClientBootstrap(group: channel.eventLoop)
            .channelInitializer { other in
                other.eventLoop.makeCompletedFuture { try other.pipeline.syncOperations.addHandler(Relay(to: channel)) }
            }
            .connect(host: host, port: port)
            .whenComplete { result in
                guard case .success(let other) = result else {
                    channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 502 Bad Gateway\r\n\r\n"), promise: nil)
                    return channel.close(promise: nil)
                }
                let reply = "HTTP/1.1 200 Connection established\r\nvia: stand-in\r\n\r\n"
                channel.writeAndFlush(ByteBuffer(string: reply), promise: nil)
                try? channel.pipeline.syncOperations.addHandler(Relay(to: other))
                channel.pipeline.syncOperations.removeHandler(handler.value, promise: nil)
            }
    }
}

@available(*, unavailable)
extension ProxyHandler: Sendable {}

/// Passes bytes on to another connection.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel

    init(to other: any Channel) { self.other = other }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        other.close(promise: nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@available(*, unavailable)
extension Relay: Sendable {}
