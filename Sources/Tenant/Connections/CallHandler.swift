import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOSSL

/// A tenant's answer.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    var body: ByteBuffer
}

/// The failure of a call on a connection.
struct CallFailure: Error {
    let fault: Fault
    /// Not a byte of an answer had come: the tenant may never have seen the call.
    let isUnanswered: Bool

    enum Fault: Equatable {
        /// There was no whole answer.
        case none(CallFault)
        /// The answer is larger than a token's.
        case tooLarge
        /// The answer is compressed, and can't be decompressed.
        case notDecompressed
    }
}

/// Makes calls on one connection, one after another.
final class CallHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// A reply is a token of a few kilobytes: what is larger, counted after decompression, is none.
    static let largestReply = 65_536

    /// The connection's state.
    private enum Phase {
        case idle
        /// A call has gone; the flag: whether a byte has come back.
        case waiting(EventLoopPromise<Answer>, hasBytes: Bool)
        case reading(EventLoopPromise<Answer>, Answer, keepsAlive: Bool)
        case ended
    }

    private var phase = Phase.idle
    private var context: ChannelHandlerContext?

    /// Whether another call can be made.
    var isIdle: Bool {
        if case .idle = phase { context?.channel.isActive ?? false } else { false }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        fail(CallFault(.connectionLost))
    }

    /// Sends a request; the promise is kept when its whole answer has come.
    func call(_ head: HTTPRequestHead, _ body: ByteBuffer, _ promise: EventLoopPromise<Answer>) {
        guard let context, isIdle else {
            return promise.fail(CallFailure(fault: .none(CallFault(.connectionLost)), isUnanswered: true))
        }
        phase = .waiting(promise, hasBytes: false)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Gives up a call, for a reason that is its caller's; the connection is of no use any more.
    func abandon(_ fault: CallFault) {
        fail(fault)
        context?.close(promise: nil)
    }

    // MARK: What comes back

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ReplyWiper.BytesCame, case .waiting(let promise, _) = phase {
            phase = .waiting(promise, hasBytes: true)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard case .waiting(let promise, _) = phase else { return }
            // What is outgrown is freed, and the C library overwrites no small blocks.
            let body = context.channel.allocator.buffer(capacity: ReplyWiper.smallestCopy)
            let answer = Answer(status: Int(head.status.code), headers: head.headers, body: body)
            phase = .reading(promise, answer, keepsAlive: head.isKeepAlive)
        case .body(var bytes):
            guard case .reading(let promise, var answer, let keepsAlive) = phase else { return }
            guard answer.body.readableBytes + bytes.readableBytes <= Self.largestReply else {
                return give(up: .tooLarge)
            }
            // A buffer of one reference is appended to in place: the phase lets go of it first.
            phase = .ended
            answer.body.writeBuffer(&bytes)
            phase = .reading(promise, answer, keepsAlive: keepsAlive)
        case .end:
            guard case .reading(let promise, let answer, let keepsAlive) = phase else { return }
            phase = keepsAlive ? .idle : .ended
            if !keepsAlive { context.close(promise: nil) }
            promise.succeed(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(CallFault(.connectionLost))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // The other side ended the connection without TLS's farewell; whether the answer was whole, HTTP says.
        case NIOSSLError.uncleanShutdown: return
        case HTTPParserError.headerOverflow, NIOHTTPDecompression.DecompressionError.limit: give(up: .tooLarge)
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            give(up: .notDecompressed)
        default: give(up: .none(.answering(error)))
        }
    }

    private func give(up fault: CallFailure.Fault) {
        fail(fault)
        context?.close(promise: nil)
    }

    private func fail(_ fault: CallFault) { fail(.none(fault)) }

    private func fail(_ fault: CallFailure.Fault) {
        let phase = self.phase
        self.phase = .ended
        switch phase {
        case .waiting(let promise, let hasBytes): promise.fail(CallFailure(fault: fault, isUnanswered: !hasBytes))
        case .reading(let promise, _, _): promise.fail(CallFailure(fault: fault, isUnanswered: false))
        case .idle, .ended: break
        }
    }
}

@available(*, unavailable)
extension CallHandler: Sendable {}
