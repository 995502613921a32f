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

    /// A call that has been sent.
    private struct Call {
        let promise: EventLoopPromise<Answer>
        /// The timer of its deadline, which is removed from the event loop when the call ends.
        let timer: Scheduled<Void>
    }

    /// The connection's state.
    private enum Phase {
        case idle
        /// A call has been sent, and the flag is true once a byte of its reply has arrived.
        case waiting(Call, hasBytes: Bool)
        case reading(Call, Answer, keepsAlive: Bool)
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
    ///
    /// At the deadline the call fails. The event loop's clock stops while the machine is suspended, so that a call may
    /// then take longer by that time. This delays only those who wait for the call: a token's age doesn't depend on it.
    func call(
        _ head: HTTPRequestHead,
        _ request: TenantRequest,
        until deadline: ContinuousClock.Instant,
        _ promise: EventLoopPromise<Answer>
    ) {
        guard let context, isIdle else {
            return promise.fail(AnswerError(reason: .incomplete(CallFault(.connectionLost)), isUnanswered: true))
        }
        let time = TimeAmount(max(deadline - .now, .zero))
        let timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.abandon(promise, CallFault(.answerTimeout))
        }
        (phase, limit) = (.waiting(Call(promise: promise, timer: timer), hasBytes: false), request.largestReply)
        encoder.bearer = request.bearer
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body = request.body { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Gives up the call of a promise, after which the connection can't be used any more.
    ///
    /// If that call has ended, the connection may have another one, which is left alone.
    func abandon(_ promise: EventLoopPromise<Answer>, _ fault: CallFault) {
        switch phase {
        case .waiting(let call, _), .reading(let call, _, _):
            if call.promise.futureResult === promise.futureResult { give(up: .incomplete(fault)) }
        case .idle, .ended: break
        }
    }

    // MARK: Replies

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ReplyWiper.BytesReceived, case .waiting(let call, _) = phase {
            phase = .waiting(call, hasBytes: true)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard case .waiting(let call, _) = phase else { return }
            // A buffer that has to grow frees its old block, and the C library doesn't overwrite small blocks.
            let body = context.channel.allocator.buffer(capacity: ReplyWiper.smallestCopy)
            let answer = Answer(status: Int(head.status.code), headers: head.headers, body: body)
            phase = .reading(call, answer, keepsAlive: head.isKeepAlive)
        case .body(var bytes):
            guard case .reading(let call, var answer, let keepsAlive) = phase else { return }
            guard answer.body.readableBytes + bytes.readableBytes <= limit else {
                return give(up: .tooLarge(limit))
            }
            // A buffer is appended to in place if it has one reference, so the phase must not keep another.
            phase = .ended
            answer.body.writeBuffer(&bytes)
            phase = .reading(call, answer, keepsAlive: keepsAlive)
        case .end:
            guard case .reading(let call, let answer, let keepsAlive) = phase else { return }
            phase = keepsAlive ? .idle : .ended
            if !keepsAlive { context.close(promise: nil) }
            call.timer.cancel()
            call.promise.succeed(answer)
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
        case .waiting(let call, let hasBytes): fail(call, AnswerError(reason: reason, isUnanswered: !hasBytes))
        case .reading(let call, _, _): fail(call, AnswerError(reason: reason, isUnanswered: false))
        case .idle, .ended: break
        }
    }

    private func fail(_ call: Call, _ error: AnswerError) {
        call.timer.cancel()
        call.promise.fail(error)
    }
}

@available(*, unavailable)
extension CallHandler: Sendable {}
