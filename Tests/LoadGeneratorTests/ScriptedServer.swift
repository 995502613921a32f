import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// Plays the daemon's side of a load: a function answers each line.
final class ScriptedServer: Sendable {
    private let directory: TemporaryDirectory
    private let channel: any Channel
    private let received: Received
    var path: String { directory.path("s") }

    /// The number of connections accepted.
    var connections: Int { received.connections.withLock { $0 } }
    /// The different lines received.
    var lines: Set<String> { received.lines.withLock { $0 } }

    /// - Parameter answer: The reply to a line, or nil to close the connection.
    init(_ answer: @escaping @Sendable (String) -> String?) async throws {
        let directory = try TemporaryDirectory()
        let received = Received()
        self.directory = directory
        self.received = received
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection(received, answer))
                }
            }
            .bind(unixDomainSocketPath: directory.path("s")).get()
    }

    func stop() async throws { try await channel.close() }

    final class Received: Sendable {
        let connections = Mutex(0)
        let lines = Mutex<Set<String>>([])
    }
}

private final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let received: ScriptedServer.Received
    private let answer: @Sendable (String) -> String?
    private var pending = ""

    init(_ received: ScriptedServer.Received, _ answer: @escaping @Sendable (String) -> String?) {
        self.received = received
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) { received.connections.withLock { $0 += 1 } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pending += String(buffer: unwrapInboundIn(data))
        while let end = pending.firstIndex(of: "\n") {
            let line = String(pending[..<end])
            pending = String(pending[pending.index(after: end)...])
            received.lines.withLock { _ = $0.insert(line) }
            guard let reply = answer(line) else { return context.close(promise: nil) }
            context.write(wrapOutboundOut(ByteBuffer(string: reply + "\n")), promise: nil)
        }
        context.flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@available(*, unavailable)
extension Connection: Sendable {}
