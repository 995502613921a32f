import NIOCore
import TokenCache
import TokenProtocol

/// The thin adapter between a channel and a connection's state machine: it moves bytes and decides nothing about them.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Its number among all connections.
    let number: UInt64
    /// Who is at the other end.
    let client: Client
    /// When something last came from there, by the server's count.
    private(set) var lastUse: UInt64
    private let server: SocketServer
    private let requestHandler: any RequestHandler
    private let sendQueue: SendQueue
    private var machine: ConnectionStateMachine
    private var context: ChannelHandlerContext?
    private var socket: DirectSocket?
    private var stall = StallWatch()
    private var isQueued = false
    private var isFinishing = false
    private var hasEnded = false
    private var readIsDue = false
    /// The number of bytes of replies that the channel has for the peer.
    private var backlog = 0
    /// The work of its present turn, in requests.
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
        // Of a connection that the loop could not take up nothing else is heard: it was never active.
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

    // MARK: The server's wishes

    /// It is its turn again.
    ///
    /// - Returns: The work that was done, in requests.
    func goOn() -> Int {
        (work, machine.isResting) = (0, false)
        resume()
        return work
    }

    /// Answers a request that waited.
    func deliver(_ reply: Reply, to ticket: UInt64) {
        guard machine.deliver(reply, to: ticket) else { return }
        sendLater()
        resumeSoon()
    }

    /// Takes no more requests and closes when the last reply has gone.
    func drain() {
        machine.drain()
        flush()
    }

    /// The drain's time is over: whoever still waits is told so, and it is closed.
    func endDrain() {
        let tickets = machine.tickets
        requestHandler.leave(tickets.map { Waiter(connection: number, ticket: $0) })
        for ticket in tickets {
            _ = machine.deliver(.error(ErrorReply(.shuttingDown, "the daemon ends; ask the next one")), to: ticket)
        }
        send()
        close()
    }

    /// Whether somebody waits for an answer on it.
    var isWaiting: Bool { machine.waiting > 0 }

    /// Leaves its place to another user's: whoever waits on it is told, and it is closed.
    func giveWay() {
        let error = ErrorReply(.overloaded, "another user of this machine needs the connection", retryAfter: 1)
        let tickets = machine.tickets
        requestHandler.leave(tickets.map { Waiter(connection: number, ticket: $0) })
        for ticket in tickets { _ = machine.deliver(.error(error), to: ticket) }
        // Told unasked, as whoever is refused a connection is.
        if tickets.isEmpty { ReplyEncoder.encode(.error(error), id: nil, into: &machine.output) }
        requestHandler.answeredWithoutHandler(.overloaded)
        send()
        close()
    }

    /// Closes at once.
    func close() { context?.close(promise: nil) }

    // MARK: Bytes

    private func process(_ chunk: UnsafeRawBufferPointer) {
        lastUse = server.newUse()
        if !machine.isResting { work = 0 }
        requestHandler.batchBegan()
        if machine.output.isEmpty { machine.output = sendQueue.takeBuffer() }
        machine.largeOutput = sendQueue.largeOutput
        var cursor = ConnectionStateMachine.Cursor()
        while let step = unsafe next(chunk, &cursor) {
            perform(step)
            work += step.work
            // Hits are no steps, and cost little: they are not counted.
            if work >= server.workPerTurn, !machine.isResting {
                machine.isResting = true
                server.rest(self)
            }
        }
        requestHandler.batchEnded()
        if machine.output.isEmpty { giveBack() }
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
        case .rejected(let code): requestHandler.answeredWithoutHandler(code)
        case .outputIsLarge:
            send()
            // What else the batch brings goes into memory that is there already.
            if machine.output.isEmpty { machine.output = sendQueue.takeBuffer() }
        case .request(let request, let ticket):
            let waiter = Waiter(connection: number, ticket: ticket)
            // A delivery to this very connection may come in here; the machine is not in use meanwhile.
            if let reply = requestHandler.handle(request, from: client, waiter: waiter) {
                machine.answer(ticket, request.id, reply)
            } else {
                machine.wait(ticket, request.id)
            }
        }
    }

    /// Goes on with what was held and with reading, if there is room.
    ///
    /// Not at once: room comes by a reply or a write, in the middle of this connection's batch or of another's.
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
        stall.end()
        // Closed: its number may be another connection's from here on.
        socket = nil
        requestHandler.leave(machine.close().map { Waiter(connection: number, ticket: $0) })
        server.closed(number)
    }

    private func giveBack() {
        var unused = OutputBuffer()
        swap(&unused, &machine.output)
        sendQueue.giveBack(unused)
    }

    /// Sends at the end of the event loop's round, together with what else this connection and others get in it.
    private func sendLater() {
        guard !isQueued, machine.isDone || !machine.output.isEmpty else { return }
        isQueued = true
        sendQueue.add(self)
    }

    /// The round has ended for which ``sendLater()`` has waited.
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
        // Out of the machine, as sending can bring an event that looks at it.
        var output = OutputBuffer()
        swap(&output, &machine.output)
        let rest = unsafe output.drain { bytes in
            let sent = unsafe socket?.send(bytes) ?? 0
            return sent == bytes.count ? nil : unsafe ByteBuffer(bytes: bytes[sent...])
        }
        sendQueue.giveBack(output)
        if let rest { leave(rest, to: context) }
    }

    /// Leaves to the channel what the socket had no room for.
    private func leave(_ rest: ByteBuffer, to context: ChannelHandlerContext) {
        stall.sending(rest.readableBytes, over: context)
        socket?.channelTook()
        let (count, promise) = (rest.readableBytes, context.eventLoop.makePromise(of: Void.self))
        backlog += count
        server.backlogGrew(by: count, of: client.peer.uid)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.channelTook(count) }
        context.writeAndFlush(wrapOutboundOut(rest), promise: promise)
        machine.isBlocked = isBlocked(context)
    }

    /// The peer has taken bytes that the channel had, or the connection is gone.
    private func channelTook(_ count: Int) {
        socket?.channelSent()
        backlog -= count
        server.backlogShrank(by: count, of: client.peer.uid)
        resumeSoon()
    }

    /// Whether no more may be answered for now: the peer doesn't take what it has, or all peers together don't.
    private func isBlocked(_ context: ChannelHandlerContext) -> Bool {
        if !context.channel.isWritable { return true }
        return backlog > 0 && server.backlog.isTight(for: client.peer.uid, share: server.connectionShare)
    }

    /// Sends what there is and closes behind it.
    private func finish() {
        guard !isFinishing, let context else { return }
        isFinishing = true
        send()
        // Behind what the channel may still have to send.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}

extension ConnectionStateMachine.Step {
    /// Its cost, about, in requests.
    fileprivate var work: Int {
        switch self {
        case .outputIsLarge: 0
        case .rejected: 1
        case .request(let request, _):
            if case .prefetch(let prefetch) = request.operation { max(1, prefetch.users.count) } else { 1 }
        }
    }
}
