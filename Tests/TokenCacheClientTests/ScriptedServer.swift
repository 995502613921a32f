import Foundation
import NIOCore
import NIOPosix
import TestSupport

/// Plays the daemon's side.
///
/// The test's script says how each line is answered.
final class ScriptedServer: Sendable {
    /// A reaction to a line.
    enum Action: Sendable {
        /// Sends these pieces, each in a write of its own.
        case send([String])
        /// Sends this and closes.
        case sendAndClose(String)
    }

    /// The members of a request that scripts look at.
    struct Line: Decodable {
        let id: Int
        let op: String?
        let subject: String?
        /// The digest of a token that a request for another one reports.
        let refused: String?
        /// The digest of a token that is reported by itself.
        let reported: String?

        private enum CodingKeys: String, CodingKey {
            case id, op, subject
            case refused = "refused_token_sha256"
            case reported = "token_sha256"
        }
    }

    private let directory: TemporaryDirectory
    private let channel: any Channel
    var path: String { directory.path("s") }

    /// - Parameter script: The reaction to each line.
    init(_ script: @escaping @Sendable (Line) -> Action) async throws {
        directory = try TemporaryDirectory()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ScriptedConnection(script))
                }
            }
            .bind(unixDomainSocketPath: directory.path("s")).get()
    }

    func stop() async throws { try await channel.close() }
}

private final class ScriptedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let script: @Sendable (ScriptedServer.Line) -> ScriptedServer.Action
    private var pending = ""

    init(_ script: @escaping @Sendable (ScriptedServer.Line) -> ScriptedServer.Action) { self.script = script }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pending += String(buffer: unwrapInboundIn(data))
        while let end = pending.firstIndex(of: "\n") {
            let line = pending[..<end]
            pending = String(pending[pending.index(after: end)...])
            guard let line = try? JSONDecoder().decode(ScriptedServer.Line.self, from: Data(line.utf8)) else {
                continue
            }
            perform(script(line), context)
        }
    }

    private func perform(_ action: ScriptedServer.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .send(let pieces):
            for piece in pieces { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: piece)), promise: nil) }
        case .sendAndClose(let text):
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            context.close(promise: nil)
        }
    }
}
