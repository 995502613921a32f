import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOSSL

/// Makes calls on one connection, one after another.
final class CallHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// The largest reply to a request for a token, in bytes, after decompression: a token has a few kilobytes.
    static let largestGrant = 65_536
    /// The largest reply to any request, in bytes, after decompression: a page of a hundred users with their groups.
    static let largestReply = 1_048_576

    /// The connection's state.
    private enum Phase {
        case idle
        /// A call has been sent, and the flag is true once a byte of its reply has arrived.
        case waiting(EventLoopPromise<Answer>, hasBytes: Bool)
        case reading(EventLoopPromise<Answer>, Answer, keepsAlive: Bool)
        case ended
    }

    private let encoder: RequestEncoder
    private var phase = Phase.idle
    /// The largest reply to the present call, in bytes.
    private var limit = 0
    private var context: ChannelHandlerContext?

    /// Creates a handler that writes its requests by an encoder.
    init(_ encoder: RequestEncoder) { self.encoder = encoder }

    /// True if another call can be made.
    var isIdle: Bool {
        if case .idle = phase { context?.channel.isActive ?? false } else { false }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        fail(CallFault(.connectionLost))
    }

    /// Sends a request, and fulfils the promise when its whole reply has arrived.
    func call(_ head: HTTPRequestHead, _ request: TenantRequest, _ promise: EventLoopPromise<Answer>) {
        guard let context, isIdle else {
            return promise.fail(AnswerError(reason: .incomplete(CallFault(.connectionLost)), isUnanswered: true))
        }
        (phase, limit) = (.waiting(promise, hasBytes: false), request.largestReply)
        encoder.bearer = request.bearer
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body = request.body { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Gives up a call at its caller's request, after which the connection can't be used any more.
    func abandon(_ fault: CallFault) {
        fail(fault)
        context?.close(promise: nil)
    }

    // MARK: Replies

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ReplyWiper.BytesReceived, case .waiting(let promise, _) = phase {
            phase = .waiting(promise, hasBytes: true)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard case .waiting(let promise, _) = phase else { return }
            // A buffer that has to grow frees its old block, and the C library doesn't overwrite small blocks.
            let body = context.channel.allocator.buffer(capacity: ReplyWiper.smallestCopy)
            let answer = Answer(status: Int(head.status.code), headers: head.headers, body: body)
            phase = .reading(promise, answer, keepsAlive: head.isKeepAlive)
        case .body(var bytes):
            guard case .reading(let promise, var answer, let keepsAlive) = phase else { return }
            guard answer.body.readableBytes + bytes.readableBytes <= limit else {
                return give(up: .tooLarge(limit))
            }
            // A buffer is appended to in place if it has one reference, so the phase must not keep another.
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
        // The other side ended the connection without TLS's close alert. HTTP decides if the reply was complete.
        case NIOSSLError.uncleanShutdown: return
        case HTTPParserError.headerOverflow, NIOHTTPDecompression.DecompressionError.limit:
            give(up: .tooLarge(limit))
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            give(up: .notDecompressed)
        default: give(up: .incomplete(.answering(error)))
        }
    }

    private func give(up reason: AnswerError.Reason) {
        fail(reason)
        context?.close(promise: nil)
    }

    private func fail(_ fault: CallFault) { fail(.incomplete(fault)) }

    private func fail(_ reason: AnswerError.Reason) {
        let phase = self.phase
        self.phase = .ended
        switch phase {
        case .waiting(let promise, let hasBytes): promise.fail(AnswerError(reason: reason, isUnanswered: !hasBytes))
        case .reading(let promise, _, _): promise.fail(AnswerError(reason: reason, isUnanswered: false))
        case .idle, .ended: break
        }
    }
}

@available(*, unavailable)
extension CallHandler: Sendable {}
