import NIOCore
import NIOPosix
import Synchronization

/// An HTTP proxy that makes tunnels, on a loopback port of its own.
///
/// It keeps the heads of the requests that came, so that a test can say by which way a tenant was reached.
package final class StandInProxy: Sendable {
    private let heads: RequestHeads
    private let listener: any Channel

    private init(_ listener: any Channel, _ heads: RequestHeads) {
        self.listener = listener
        self.heads = heads
    }

    /// Starts one.
    ///
    /// - Parameter refusal: What it answers each request with instead of making a tunnel, from the status line on.
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

    /// Its port on 127.0.0.1.
    package var port: Int { listener.localAddress?.port ?? 0 }

    /// The heads of the requests that came.
    package var requests: [String] { heads.all }

    /// Ends it; the tunnels that there are stay.
    package func stop() async throws { try await listener.close() }
}

/// A request that a proxy got.
private final class RequestHeads: Sendable {
    private let texts = Mutex<[String]>([])

    var all: [String] { texts.withLock { $0 } }

    func append(_ text: String) { texts.withLock { $0.append(text) } }
}

/// One connection to the proxy.
private final class ProxyHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

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
        heads.append(head)
        let words = head.split(separator: " ")
        if let refusal {
            answer(refusal, context)
            context.close(promise: nil)
        } else if words.count > 2, words[0] == "CONNECT", let colon = words[1].lastIndex(of: ":"),
            let port = Int(words[1][words[1].index(after: colon)...])
        {
            connect(String(words[1][..<colon]), port, context)
        }
    }

    private func answer(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    private func connect(_ host: String, _ port: Int, _ context: ChannelHandlerContext) {
        let (handler, channel) = (NIOLoopBound(self, eventLoop: context.eventLoop), context.channel)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .channelInitializer { other in
                other.eventLoop.makeCompletedFuture { try other.pipeline.syncOperations.addHandler(Relay(to: channel)) }
            }
            .connect(host: host, port: port)
            .whenComplete { result in
                guard case .success(let other) = result else {
                    handler.value.answer("HTTP/1.1 502 Bad Gateway\r\n\r\n", bound.value)
                    return channel.close(promise: nil)
                }
                handler.value.answer("HTTP/1.1 200 Connection established\r\nvia: stand-in\r\n\r\n", bound.value)
                try? channel.pipeline.syncOperations.addHandler(Relay(to: other))
                channel.pipeline.syncOperations.removeHandler(handler.value, promise: nil)
            }
    }
}

@available(*, unavailable)
extension ProxyHandler: Sendable {}

/// Passes on what comes to another connection.
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
