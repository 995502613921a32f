import NIOCore
import TokenCache
import TokenProtocol

/// Moves bytes between a channel and a connection's state machine, and decides nothing about them.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The connection's number, which is never used again.
    let number: UInt64
    /// The client at the other end.
    let client: Client
    /// The number of the connection's last use, by which the server orders the uses of all connections.
    private(set) var lastUse: UInt64
    private let server: SocketServer
    private let requestHandler: any RequestHandler
    private let sendQueue: SendQueue
    private var machine: ConnectionStateMachine
    private var context: ChannelHandlerContext?
    private var socket: DirectSocket?
    private var watchdog = SlowConsumerWatchdog()
    private var isQueued = false
    private var isFinishing = false
    private var hasEnded = false
    private var readIsDue = false
    /// The bytes of replies that the channel still has to send.
    private var unsent = 0
    /// The work of the present slice, in requests.
    private var work = 0

    init(
        number: UInt64,
        client: Client,
        server: SocketServer,
        requestHandler: any RequestHandler,
        sendQueue: SendQueue
    ) {
        self.number = number
        lastUse = server.newUse()
        self.client = client
        self.server = server
        self.requestHandler = requestHandler
        self.sendQueue = sendQueue
        machine = ConnectionStateMachine(isAdmin: client.socket == .admin)
    }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket = DirectSocket(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        // A connection that the loop could not register was never active, so this is its only event.
        end()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        unsafe buffer.withUnsafeReadableBytes { unsafe process($0) }
        resumeSoon()
    }

    func read(context: ChannelHandlerContext) {
        if machine.isFull || machine.hasHeld || isFinishing {
            readIsDue = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resumeSoon()
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
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: Calls from the server

    /// Serves the next slice of a connection that has yielded.
    ///
    /// - Returns: The work that was done, in requests.
    func serveSlice() -> Int {
        (work, machine.isYielding) = (0, false)
        resume()
        return work
    }

    /// Answers a request that waited.
    func deliver(_ reply: Reply, to ticket: UInt64) {
        guard let operation = machine.deliver(reply, to: ticket) else { return }
        requestHandler.ended(operation, RequestOutcome(reply))
        sendLater()
        resumeSoon()
    }

    /// Answers no further requests, and closes when the last reply was sent.
    func drain() {
        machine.drain()
        flush()
    }

    /// Closes the connection at the deadline of a drain, with an error for each request that still waits.
    func endDrain() {
        _ = cancelWaiting(.shuttingDown)
        send()
        close()
    }

    /// True if a request waits for its reply.
    var isWaiting: Bool { machine.waiting > 0 }

    /// Closes the connection for another uid's, with an error for each request that waits.
    func preempt() {
        let error = ErrorReply(.overloaded, "another user of this machine needs the connection", retryAfter: 1)
        // Without a request the error is sent all the same, as a rejected connection gets one, too.
        if cancelWaiting(error) == 0 {
            ReplyEncoder.encode(.error(error), id: nil, into: &machine.output)
            requestHandler.sentError(.overloaded)
        }
        send()
        close()
    }

    /// Answers each request that waits with an error.
    ///
    /// - Returns: The number of these requests.
    private func cancelWaiting(_ error: ErrorReply) -> Int {
        let pending = machine.pending
        requestHandler.cancel(pending.map { Waiter(connection: number, ticket: $0.ticket) })
        for request in pending {
            _ = machine.deliver(.error(error), to: request.ticket)
            requestHandler.ended(request.operation, .error(error.code))
        }
        return pending.count
    }

    /// Closes the connection at once.
    func close() { context?.close(promise: nil) }

    // MARK: Bytes

    private func process(_ chunk: UnsafeRawBufferPointer) {
        lastUse = server.newUse()
        if !machine.isYielding { work = 0 }
        requestHandler.batchBegan()
        if machine.output.isEmpty { machine.output = sendQueue.takeBuffer() }
        machine.largeOutput = sendQueue.largeOutput
        var cursor = ConnectionStateMachine.Cursor()
        while let step = unsafe next(chunk, &cursor) {
            perform(step)
            work += step.work
            // Hits are not steps. They cost little and are not counted.
            if work >= server.scheduler.workPerSlice, !machine.isYielding {
                machine.isYielding = true
                server.scheduler.yield(self)
            }
        }
        requestHandler.batchEnded()
        if machine.output.isEmpty { returnBuffer() }
        sendLater()
    }

    private func next(
        _ chunk: UnsafeRawBufferPointer,
        _ cursor: inout ConnectionStateMachine.Cursor
    ) -> ConnectionStateMachine.Step? {
        var step: ConnectionStateMachine.Step?
        requestHandler.withHits(for: client) { step = unsafe machine.next(Span(_unsafeBytes: chunk), &cursor, hit: $0) }
        return step
    }

    private func perform(_ step: ConnectionStateMachine.Step) {
        switch step {
        case .rejected(let code, let operation): requestHandler.rejected(operation, code, from: client)
        case .outputIsLarge:
            send()
            // The rest of the batch goes into a buffer that is allocated already.
            if machine.output.isEmpty { machine.output = sendQueue.takeBuffer() }
        case .request(let request, let ticket):
            let waiter = Waiter(connection: number, ticket: ticket)
            // The handler may deliver a reply to this connection. The machine is not being used at this point.
            if let reply = requestHandler.handle(request, from: client, waiter: waiter) {
                machine.answer(ticket, request.id, reply)
            } else {
                machine.wait(ticket, request.id, request.operation.name)
            }
        }
    }

    /// Continues with held bytes and with reading, in another task of the event loop, unless the connection is full.
    ///
    /// It can't do so at once, as a reply or a write may come in the middle of this connection's batch or of another's.
    private func resumeSoon() {
        if let context { machine.isBlocked = isBlocked(context) }
        guard machine.hasHeld || readIsDue, !machine.isFull, let context else { return }
        context.eventLoop.assumeIsolated().execute { self.resume() }
    }

    private func resume() {
        while machine.hasHeld, !machine.isFull {
            let held = machine.takeHeld()
            unsafe held.withUnsafeBytes { unsafe process($0) }
        }
        guard readIsDue, !machine.isFull, !machine.hasHeld, !isFinishing else { return }
        readIsDue = false
        context?.read()
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        watchdog.stop()
        // The descriptor is closed, and may be another connection's from here on.
        socket = nil
        let pending = machine.close()
        requestHandler.cancel(pending.map { Waiter(connection: number, ticket: $0.ticket) })
        for request in pending { requestHandler.ended(request.operation, .cancelled) }
        server.closed(number)
    }

    private func returnBuffer() {
        var unused = OutputBuffer()
        swap(&unused, &machine.output)
        sendQueue.returnBuffer(unused)
    }

    /// Sends at the end of the event loop's round, together with this connection's further replies and those of others.
    private func sendLater() {
        guard !isQueued, machine.isDone || !machine.output.isEmpty else { return }
        isQueued = true
        sendQueue.add(self)
    }

    /// Sends what ``sendLater()`` has left to the end of the round.
    func roundEnded() {
        isQueued = false
        flush()
    }

    private func flush() {
        if machine.isDone { return finish() }
        send()
    }

    private func send() {
        guard let context, !machine.output.isEmpty else { return }
        // The output is taken out of the machine, as sending can cause an event that uses the machine.
        var output = OutputBuffer()
        swap(&output, &machine.output)
        let rest = unsafe output.drain { bytes in
            let sent = unsafe socket?.send(bytes) ?? 0
            return sent == bytes.count ? nil : unsafe ByteBuffer(bytes: bytes[sent...])
        }
        sendQueue.returnBuffer(output)
        if let rest { write(rest, to: context) }
    }

    /// Leaves to the channel the bytes that the socket did not accept.
    private func write(_ rest: ByteBuffer, to context: ChannelHandlerContext) {
        watchdog.sending(rest.readableBytes, over: context)
        socket?.channelBeganWrite()
        let (count, promise) = (rest.readableBytes, context.eventLoop.makePromise(of: Void.self))
        unsent += count
        server.unsentGrew(by: count, of: client.peer.uid)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.wrote(count) }
        context.writeAndFlush(wrapOutboundOut(rest), promise: promise)
        machine.isBlocked = isBlocked(context)
    }

    /// Notes that the channel has sent bytes, or failed to as the connection was closed.
    private func wrote(_ count: Int) {
        socket?.channelEndedWrite()
        unsent -= count
        server.unsentShrank(by: count, of: client.peer.uid)
        resumeSoon()
    }

    /// True if no more requests may be answered for now, as this peer or all peers together have too much unread.
    private func isBlocked(_ context: ChannelHandlerContext) -> Bool {
        if !context.channel.isWritable { return true }
        return unsent > 0 && server.unsent.isExhausted(for: client.peer.uid, share: server.connectionShare)
    }

    /// Sends the output and closes the connection after it.
    private func finish() {
        guard !isFinishing, let context else { return }
        isFinishing = true
        send()
        // The connection is closed after what the channel may still have to send.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}

extension ConnectionStateMachine.Step {
    /// The approximate cost of a step, in requests.
    fileprivate var work: Int {
        switch self {
        case .outputIsLarge: 0
        case .rejected: 1
        case .request(let request, _):
            if case .prefetch(let prefetch) = request.operation { max(1, prefetch.users.count) } else { 1 }
        }
    }
}
