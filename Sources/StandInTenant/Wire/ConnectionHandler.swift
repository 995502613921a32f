import NIOCore
import NIOHTTP1

/// One connection: passes requests to the tenant one after another, and performs the steps of the replies.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    /// The connection's state.
    private enum Phase {
        case idle
        case waiting(call: Int)  // For a call's latency or its release.
        case replying(call: Int?, ArraySlice<ReplyStep>)  // To a call or another request, with the remaining steps.
        case ended
    }

    /// More requests ahead of their replies than any correct client sends.
    private static let maximumQueue = 128

    private let tenant: StandInTenant
    private let origin: StandInTenant.Origin
    /// The request that is being received.
    private var incoming: IncomingRequest?
    private var queue: [IncomingRequest] = []
    private var phase = Phase.idle
    private var isUsed = false
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(tenant: StandInTenant, origin: StandInTenant.Origin) {
        self.tenant = tenant
        self.origin = origin
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): incoming = IncomingRequest(head)
        case .body(let bytes):
            let space = IncomingRequest.maximumBody - (incoming?.body.count ?? 0)
            incoming?.body += bytes.readableBytesView.prefix(space)
            if bytes.readableBytes > space { incoming?.isTooLong = true }
        case .end:
            guard let request = incoming.take() else { return }
            guard queue.count < Self.maximumQueue else { return reject("too many requests preceded their replies") }
            queue.append(request)
            proceed()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that leaves in the middle of a request breaks no rule.
        if let error = error as? HTTPParserError, error != .invalidEOFState {
            reject("the connection carried no HTTP: \(error)")
        }
        context.close(promise: nil)
    }
}

extension ConnectionHandler {
    private func reject(_ sentence: String) {
        tenant.assumeIsolated { tenant in tenant.receiveMalformed(sentence) }
        context?.close(promise: nil)
    }

    /// Begins the next request if the connection is ready.
    private func proceed() {
        guard case .idle = phase, !queue.isEmpty else { return }
        let request = queue.removeFirst()
        if isUsed, tenant.assumeIsolated({ $0.usedConnections }) == .reset { return reply([.reset], to: nil) }
        isUsed = true
        switch tenant.assumeIsolated({ [origin] tenant in tenant.receive(request, on: origin) }) {
        case .answer(let steps): reply(steps, to: nil)
        case .delay(let latency, let call):
            phase = .waiting(call: call)
            wait(latency) { handler in handler.latencyPassed(call) }
        }
    }

    private func latencyPassed(_ call: Int) {
        guard let context else { return }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let steps = tenant.assumeIsolated { tenant in
            tenant.latencyPassed(call) { steps in handler.value.reply(steps, to: call) }
        }
        if let steps { reply(steps, to: call) }
    }

    private func reply(_ steps: [ReplyStep], to call: Int?) {
        guard context != nil else { return }
        phase = .replying(call: call, steps[...])
        advance()
    }

    /// Performs the next step of the reply.
    private func advance() {
        guard case .replying(let call, let steps) = phase, let context else { return }
        phase = .replying(call: call, steps.dropFirst())
        switch steps.first {
        case .send(let bytes): write(bytes, context)
        case .wait(let duration): wait(duration) { handler in handler.advance() }
        case .hang: break
        case .reset:
            end()
            context.triggerUserOutboundEvent(ResetConnection(), promise: nil)
        case .close:
            end()
            context.close(promise: nil)
        case .refuse(let duration, let closes):
            end()
            // A reset could overtake the reply in the client.
            if closes { context.close(promise: nil) }
            tenant.assumeIsolated { tenant in tenant.refuse(for: duration) }
        case nil:
            phase = .idle
            if let call { tenant.assumeIsolated { tenant in tenant.end(call) } }
            proceed()
        }
    }

    /// Writes, and goes on in the loop's next round, as otherwise each piece of a long reply would take the stack one
    /// call deeper.
    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let handler = NIOLoopBound(self, eventLoop: loop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes))).whenSuccess {
            loop.execute { handler.value.advance() }
        }
    }

    private func wait(_ duration: Duration, then next: @escaping (ConnectionHandler) -> Void) {
        guard duration > .zero else { return next(self) }
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) { next(self) }
    }

    /// Ends the call at hand.
    ///
    /// It precedes the connection's end: a client may return on another connection before that is complete, and would
    /// then count as a second call at the same time.
    private func end() {
        timer?.cancel()
        timer = nil
        let phase = self.phase
        self.phase = .ended
        switch phase {
        case .waiting(let call), .replying(.some(let call), _): tenant.assumeIsolated { tenant in tenant.end(call) }
        case .idle, .ended, .replying(.none, _): break
        }
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}
