import NIOCore
import TokenProtocol

/// The thin adapter between a channel and a connection's state machine: it moves bytes and decides nothing about them.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Replies are handed to the socket at the end of a batch, or when so many bytes have gathered: a batch of small
    /// requests can bring replies twenty times its size, and more than this at once falls out of the processor's cache
    /// and out of what the allocator keeps at hand.
    private static let flushSize = 64 * 1_024

    private let number: UInt64
    private let kind: SocketKind
    private let server: SocketServer
    private let requestHandler: any RequestHandler
    private var machine: ConnectionStateMachine
    private var context: ChannelHandlerContext?
    private var stall = StallWatch()
    private var isProcessing = false
    private var isFinishing = false
    private var readIsDue = false

    init(number: UInt64, kind: SocketKind, server: SocketServer, requestHandler: any RequestHandler) {
        self.number = number
        self.kind = kind
        self.server = server
        self.requestHandler = requestHandler
        machine = ConnectionStateMachine(isAdmin: kind == .admin)
    }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        unsafe buffer.withUnsafeReadableBytes { bytes in
            process(unsafe Span(_unsafeBytes: bytes))
        }
    }

    func read(context: ChannelHandlerContext) {
        if machine.isFull || machine.hasHeld || isFinishing {
            readIsDue = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        machine.isBlocked = !context.channel.isWritable
        if !machine.isBlocked { resume() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            if let step = machine.inputEnded() { perform(step) }
            flush()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stall.end()
        requestHandler.leave(machine.tickets.map { Waiter(connection: number, ticket: $0) })
        server.closed(number)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: The server's wishes

    /// Answers a request that waited.
    func deliver(_ reply: Reply, to ticket: UInt64) {
        let wasFull = machine.isFull
        guard machine.deliver(reply, to: ticket), !isProcessing else { return }
        flush()
        guard wasFull, !machine.isFull, let loop = context?.eventLoop else { return }
        // Not here: whoever delivers may be in the middle of another connection's batch.
        loop.assumeIsolated().execute { self.resume() }
    }

    /// Takes no more requests and closes when the last reply has gone.
    func drain() {
        machine.drain()
        flush()
    }

    /// Closes at once.
    func close() { context?.close(promise: nil) }

    // MARK: Bytes

    private func process(_ chunk: borrowing Span<UInt8>) {
        isProcessing = true
        requestHandler.batchBegan()
        var cursor = ConnectionStateMachine.Cursor()
        while let step = machine.next(chunk, &cursor) {
            perform(step)
            if machine.output.count >= Self.flushSize { send() }
        }
        isProcessing = false
        flush()
        requestHandler.batchEnded()
    }

    private func perform(_ step: ConnectionStateMachine.Step) {
        switch step {
        case .rejected(let code): requestHandler.answeredWithoutHandler(code)
        case .request(let request, let ticket):
            let waiter = Waiter(connection: number, ticket: ticket)
            // A delivery to this very connection may come in here; the machine is not in use meanwhile.
            if let reply = requestHandler.handle(request, on: kind, waiter: waiter) {
                machine.answer(ticket, request.id, reply)
            } else {
                machine.wait(ticket, request.id)
            }
        }
    }

    /// Goes on with what was held and with reading, now that there is room.
    private func resume() {
        while machine.hasHeld, !machine.isFull {
            let held = machine.takeHeld()
            process(held.span)
        }
        guard readIsDue, !machine.isFull, !machine.hasHeld, !isFinishing else { return }
        readIsDue = false
        context?.read()
    }

    private func flush() {
        if machine.isDone { return finish() }
        send()
    }

    private func send(promise: EventLoopPromise<Void>? = nil) {
        guard let context, !machine.output.isEmpty || promise != nil else { return }
        let buffer = takeOutput(context)
        stall.sending(buffer.readableBytes, over: context)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
        machine.isBlocked = !context.channel.isWritable
    }

    private func takeOutput(_ context: ChannelHandlerContext) -> ByteBuffer {
        var buffer = context.channel.allocator.buffer(capacity: machine.output.count)
        unsafe machine.output.drain { _ = unsafe buffer.writeBytes($0) }
        return buffer
    }

    /// Sends what there is and closes behind it.
    private func finish() {
        guard !isFinishing, let context else { return }
        isFinishing = true
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        send(promise: promise)
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}
