import DequeModule
import FleetProtocol
import NIOCore
import NIOSSL

/// A connection to the engine: commands go out one after another, and the answers come in the same order.
///
/// It belongs to its event loop.
final class EngineConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    /// A function that gets the answer to a command, exactly once.
    typealias Completion = (Result<RespValue, EngineFault>) -> Void

    /// The most commands that wait for their answers.
    ///
    /// So an engine that stops costs a bounded amount of memory.
    static let mostAwaited = 4_096

    private var context: ChannelHandlerContext?
    private var parser = RespParser()
    private var awaited = Deque<Completion>()
    private var fault: EngineFault?
    private var isFlushing = false
    private var closing: (EngineFault, String) -> Void

    /// Creates a connection.
    ///
    /// - Parameter closing: Called once when the connection is lost, after all answers.
    init(closing: @escaping (EngineFault, String) -> Void) { self.closing = closing }

    /// True if no answer is awaited.
    var isIdle: Bool { awaited.isEmpty }

    /// Sends a command.
    func send(_ command: [UInt8], _ completion: @escaping Completion) {
        guard fault == nil, let context else { return completion(.failure(.notConnected)) }
        guard awaited.count < Self.mostAwaited else { return completion(.failure(.overloaded)) }
        awaited.append(completion)
        context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: command)), promise: nil)
        flushSoon(context)
    }

    /// Flushes at the end of the loop's turn, so that the commands of a turn share a system call.
    private func flushSoon(_ context: ChannelHandlerContext) {
        guard !isFlushing else { return }
        isFlushing = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushing = false
            self.context?.flush()
        }
    }

    /// Closes the connection, and fails what is awaited.
    func close(_ fault: EngineFault, _ detail: String = "") {
        guard self.fault == nil else { return }
        self.fault = fault
        let context = context
        self.context = nil
        let failed = awaited
        awaited = []
        for completion in failed { completion(.failure(fault)) }
        let closing = closing
        self.closing = { _, _ in }
        closing(fault, detail)
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { close(.connectionLost) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        parser.append(buffer.readableBytesView)
        do {
            while fault == nil, let value = try parser.next() {
                if case .push = value { continue }
                guard let completion = awaited.popFirst() else { return close(.malformed, "an answer to no command") }
                completion(.success(value))
            }
        } catch {
            close(.malformed, "\(error)")
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        close(.connectionLost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(Self.isTLS(error) ? .tls : .connectionLost, "\(error)")
    }

    private static func isTLS(_ error: any Error) -> Bool {
        error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError
    }
}

@available(*, unavailable)
extension EngineConnection: Sendable {}
