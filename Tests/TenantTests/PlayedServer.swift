import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A server on a port of its own that answers with the bytes that a test gives it.
final class PlayedServer: Sendable {
    /// A reaction to a request.
    enum Step: Sendable {
        /// Sends bytes.
        case send([UInt8])
        /// Ends the connection by RST.
        case reset
        /// Ends it by FIN.
        case close
        /// Drops all further packets, so that they are not even acknowledged.
        case dropPackets
    }

    /// The number of a request's connection, and its own number on that connection, both from 0.
    struct Position: Sendable {
        let connection: Int
        let request: Int
    }

    private struct State {
        var requests: [String] = []
        var connections = 0
    }

    private let state = Mutex(State())
    private let play: @Sendable (Position) -> [Step]
    private let listener = Mutex<(any Channel)?>(nil)

    fileprivate let greeting: [UInt8]

    private init(_ greeting: [UInt8], _ play: @escaping @Sendable (Position) -> [Step]) {
        self.greeting = greeting
        self.play = play
    }

    /// Starts a server for as long as a test's body runs.
    ///
    /// - Parameter greeting: The bytes that it sends first on each connection.
    static func run<Result>(
        greeting: [UInt8] = [],
        _ play: @escaping @Sendable (Position) -> [Step],
        _ body: (PlayedServer) async throws -> Result
    ) async throws -> Result {
        let server = PlayedServer(greeting, play)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PlayHandler(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        server.listener.withLock { $0 = channel }
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    /// The server's origin.
    var origin: String { "http://127.0.0.1:\(port)" }
    var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }

    /// The requests that it has received, with head and body.
    var requests: [String] { state.withLock { $0.requests } }

    /// The number of connections that it has accepted.
    var connections: Int { state.withLock { $0.connections } }

    fileprivate func newConnection() -> Int {
        state.withLock { state in
            defer { state.connections += 1 }
            return state.connections
        }
    }

    fileprivate func steps(for request: String, at position: Position) -> [Step] {
        state.withLock { $0.requests.append(request) }
        return play(position)
    }

    /// Returns an answer with a body.
    static func answer(_ body: [UInt8], status: String = "200 OK", fields: [String] = []) -> Step {
        let head = (["HTTP/1.1 \(status)", "content-length: \(body.count)"] + fields).joined(separator: "\r\n")
        return .send(Array("\(head)\r\n\r\n".utf8) + body)
    }

    /// An answer with a token.
    static let token = answer(Array(#"{"access_token":"abc","token_type":"Bearer","expires_in":3600}"#.utf8))
}

private final class PlayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: PlayedServer
    private let connection: Int
    private var requests = 0
    private var text = ""

    init(_ server: PlayedServer) {
        self.server = server
        connection = server.newConnection()
    }

    func channelActive(context: ChannelHandlerContext) {
        if !server.greeting.isEmpty { take(.send(server.greeting), context) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: unwrapInboundIn(data))
        guard let end = text.range(of: "\r\n\r\n") else { return }
        let length = text.firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.output.1) } ?? 0
        guard text[end.upperBound...].utf8.count >= length else { return }
        let position = PlayedServer.Position(connection: connection, request: requests)
        requests += 1
        let request = text
        text = ""
        for step in server.steps(for: request, at: position) { take(step, context) }
    }

    private func take(_ step: PlayedServer.Step, _ context: ChannelHandlerContext) {
        switch step {
        case .send(let bytes): context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        case .reset:
            _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            context.close(promise: nil)
        case .close: context.close(promise: nil)
        case .dropPackets: dropPackets(context)
        }
    }

    /// Makes the kernel drop all packets of this connection, by a filter of one instruction.
    private func dropPackets(_ context: ChannelHandlerContext) {
        struct Instruction {
            var code: UInt16 = 0x06
            var jumps: UInt16 = 0
            var bytes: UInt32 = 0
        }
        struct Program: Sendable {
            var count: UInt16 = 1
            var address: UInt
        }
        var instruction = Instruction()
        unsafe withUnsafeMutablePointer(to: &instruction) { start in
            let option = NIOBSDSocket.Option(rawValue: SO_ATTACH_FILTER)
            let program = Program(address: UInt(bitPattern: start))
            _ = (context.channel as? any SocketOptionProvider)?
                .unsafeSetSocketOption(level: .socket, name: option, value: program)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@available(*, unavailable)
extension PlayHandler: Sendable {}
