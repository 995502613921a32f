import NIOCore
import NIOHTTP1

/// One connection: hands requests to the tenant one after another, and plays what it says.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    /// The connection's state.
    private enum Phase {
        /// Nothing; the next request may begin.
        case idle
        /// A call's latency, or the gate.
        case waiting(CallNumber)
        /// A reply, of a call or of another request.
        case playing(CallNumber?, ScriptCursor)
        /// It has ended.
        case ended
    }

    /// Requests that wait behind the one at hand; a client that sends more ahead than that is out of its mind.
    private static let maximumQueue = 128

    private let tenant: StandInTenant
    private let origin: StandInTenant.Origin
    private var collector = RequestCollector()
    private var queue: [IncomingRequest] = []
    private var phase = Phase.idle
    private var isUsed = false
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    /// A connection of one of the two servers.
    init(tenant: StandInTenant, origin: StandInTenant.Origin) {
        self.tenant = tenant
        self.origin = origin
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let request = collector.receive(unwrapInboundIn(data)) else { return }
        guard queue.count < Self.maximumQueue else {
            rubbish("too many requests came ahead of their replies")
            return
        }
        queue.append(request)
        proceed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that leaves in the middle of a request breaks no rule.
        if let error = error as? HTTPParserError, error != .invalidEOFState {
            rubbish("what came is no HTTP: \(error)")
        }
        context.close(promise: nil)
    }
}

extension ConnectionHandler {
    private func rubbish(_ sentence: String) {
        tenant.assumeIsolated { tenant in tenant.receiveRubbish(sentence) }
        context?.close(promise: nil)
    }

    /// Begins the next request, where there is one and nothing else is at hand.
    private func proceed() {
        guard case .idle = phase, !queue.isEmpty else { return }
        let request = queue.removeFirst()
        let origin = self.origin
        if isUsed, tenant.assumeIsolated({ $0.usedConnections }) == .reset {
            if let context { leave(by: .reset, context) }
            return
        }
        isUsed = true
        let reception = tenant.assumeIsolated { tenant in tenant.receive(request, on: origin) }
        switch reception {
        case .answer(let script):
            play(script, of: nil)
        case .delay(let latency, let call):
            phase = .waiting(call)
            wait(latency) { handler in handler.latencyPassed(call) }
        }
    }

    private func latencyPassed(_ call: CallNumber) {
        guard let context else { return }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let script = tenant.assumeIsolated { tenant in
            tenant.latencyPassed(call) { script in handler.value.play(script, of: call) }
        }
        if let script { play(script, of: call) }
    }

    private func play(_ script: ReplyScript, of call: CallNumber?) {
        guard context != nil else { return }
        phase = .playing(call, ScriptCursor(script))
        advance()
    }

    /// Takes the next step of the reply.
    private func advance() {
        guard case .playing(let call, var cursor) = phase, let context else { return }
        let action = cursor.next()
        phase = .playing(call, cursor)
        switch action {
        case .write(let bytes): write(bytes, context)
        case .wait(let duration): wait(duration) { handler in handler.advance() }
        case .hang: break
        case .reset, .close, .refuse: leave(by: action, context)
        case .finish: finish(call)
        }
    }

    /// Ends the connection.
    ///
    /// The call is over first: a client may come back on another connection before this one's end is through, and would
    /// then count as a second call at the same time.
    private func leave(by action: ScriptCursor.Action, _ context: ChannelHandlerContext) {
        end()
        switch action {
        case .reset: context.triggerUserOutboundEvent(ResetConnection(), promise: nil)
        case .refuse(let duration): tenant.assumeIsolated { tenant in tenant.refuse(for: duration) }
        default: context.close(promise: nil)
        }
    }

    /// Writes, and goes on in the loop's next round rather than in the write's own call, as a long reply would otherwise
    /// go one call deeper for each of its pieces.
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

    private func finish(_ call: CallNumber?) {
        phase = .idle
        if let call { tenant.assumeIsolated { tenant in tenant.end(call) } }
        proceed()
    }

    /// The connection is gone, whatever it was at.
    private func end() {
        timer?.cancel()
        timer = nil
        let phase = self.phase
        self.phase = .ended
        switch phase {
        case .waiting(let call), .playing(.some(let call), _): tenant.assumeIsolated { tenant in tenant.end(call) }
        case .idle, .ended, .playing(.none, _): break
        }
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}
