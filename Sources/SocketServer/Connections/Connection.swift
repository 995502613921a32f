import Glibc
import Reactor
import TokenCache
import TokenProtocol

/// Moves bytes between a socket and a connection's state machine, and decides nothing about them.
final class Connection: EventSource {
    /// The connection's number, which is never used again.
    let number: UInt64
    /// The client at the other end.
    let client: Client
    let descriptor: CInt
    /// The number of the connection's last use, by which the server orders the uses of all connections.
    private(set) var lastUse: UInt64
    /// The positions in the server's queues, for ``ConnectionTable``.
    var positions: ConnectionTable.Positions?
    /// True if those queues have noted that a request waits, so that they have to be told when none does.
    var isKnownToWait = false
    let server: SocketServer
    let requestHandler: any RequestHandler
    private let socket: StreamSocket
    var machine: ConnectionStateMachine
    private var input = InputState()
    var replies: ReplySender
    private var isFinishing = false
    var isClosed = false
    private var isQueuedToSend = false
    private var isQueuedToResume = false
    private var isQueuedToCheck = false
    /// The work of the present slice, in requests.
    private var work = 0

    init(number: UInt64, client: Client, socket: StreamSocket, server: SocketServer) {
        self.number = number
        lastUse = server.newUse()
        self.client = client
        self.socket = socket
        descriptor = socket.descriptor
        self.server = server
        requestHandler = server.requestHandler
        replies = ReplySender(socket)
        machine = ConnectionStateMachine(isAdmin: client.socket == .admin)
    }

    // MARK: The socket's events

    func ready(_ events: Events) {
        if events.contains(.writable), !replies.isEmpty { sendUnsent() }
        guard events.concernReading, !isClosed else { return }
        input.note(events)
        if input.isGone { dropReplies() }
        read()
    }

    /// Reads until the socket has nothing more, but at most once or twice, as other connections wait.
    private func read() {
        readOnce()
        // The end of the input is not in the bytes before it.
        if input.hasEnded { readOnce() }
        resumeSoon()
        guard input.isUncertain, !isQueuedToCheck, !isClosed else { return }
        isQueuedToCheck = true
        server.leftoverCheck.add(self)
    }

    private func readOnce() {
        guard input.isReadable, !machine.isFull, !machine.hasHeld, !isFinishing, !isClosed else { return }
        let buffer = unsafe server.readBuffer
        switch unsafe socket.receive(into: buffer) {
        case .bytes(let count):
            input.received(count, of: buffer.count)
            unsafe process(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        case .nothing: input.receivedNothing()
        case .end: endInput()
        // The kernel reports a fault after the bytes before it, and nothing comes after it.
        case .failed:
            peerIsGone()
            endInput()
        }
    }

    private func endInput() {
        input.receivedNothing()
        if let step = machine.inputEnded() { perform(step) }
        sendLater()
    }

    // MARK: Calls from the server

    /// Serves the next slice of a connection that has yielded.
    ///
    /// - Returns: The work that was done, in requests.
    func serveSlice() -> Int {
        (work, machine.isYielding) = (0, false)
        resume()
        return work
    }

    /// Looks for bytes that the last read has left, unless there was another one since the last call.
    ///
    /// - Returns: False if it has to be called again after the next interval.
    func isCheckedForLeftovers() -> Bool {
        guard input.isUncertain, !isClosed else {
            isQueuedToCheck = false
            return true
        }
        guard !input.wasRead else {
            input.beginInterval()
            return false
        }
        isQueuedToCheck = false
        input.check(isNow: !machine.isFull && !machine.hasHeld)
        read()
        return true
    }

    /// Answers a request that waited.
    func deliver(_ reply: Reply, to ticket: UInt64) {
        // A request that waits may have been read before the peer stopped reading.
        let reply = isUnread ? .error(.unreadReplies) : reply
        guard let operation = machine.deliver(reply, to: ticket) else { return }
        requestHandler.ended(operation, RequestOutcome(reply))
        noteEndOfWaits()
        sendLater()
        resumeSoon()
    }

    /// True if a request waits for its reply.
    var isWaiting: Bool { machine.waiting > 0 }

    private func noteEndOfWaits() {
        if isKnownToWait, !isWaiting { server.waitsNoLonger(self) }
    }

    // MARK: Requests

    private func process(_ chunk: UnsafeRawBufferPointer) {
        lastUse = server.newUse()
        if !machine.isYielding { work = 0 }
        if machine.output.isEmpty { machine.output = server.buffers.take() }
        machine.largeOutput = server.largeOutput
        var cursor = ConnectionStateMachine.Cursor()
        var isDone = false
        requestHandler.withHits(for: client) {
            isDone = unsafe machine.answerHits(Span(_unsafeBytes: chunk), &cursor, hit: $0)
        }
        if !isDone { unsafe processSteps(chunk, &cursor) }
        if machine.output.isEmpty { returnBuffer() }
        sendLater()
    }

    private func processSteps(_ chunk: UnsafeRawBufferPointer, _ cursor: inout ConnectionStateMachine.Cursor) {
        while let step = unsafe next(chunk, &cursor) {
            perform(step)
            work += step.work
            // Hits in their plain form are not steps. They cost little and are not counted.
            if work >= server.scheduler.workPerSlice, !machine.isYielding {
                machine.isYielding = true
                server.scheduler.yield(self)
            }
        }
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
        case .answered, .emptyLines: break
        case .outputIsLarge:
            send()
            // The rest of the batch goes into a buffer that is allocated already.
            if machine.output.isEmpty { machine.output = server.buffers.take() }
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

    /// Continues with held bytes and with reading at the end of the reactor's turn, unless the connection is full.
    ///
    /// It can't do so at once, as a reply may come in the middle of this connection's batch or of another's. If the peer
    /// is gone and nothing is left, the connection is closed.
    private func resumeSoon() {
        if input.isGone, !isClosed {
            guard machine.hasHeld || input.isReadable else { return close() }
            // Nobody waits for these replies, so the requests behind them don't wait for them either.
            if machine.waiting >= ProtocolLimits.maxWaiting { cancelled(machine.cancelWaiting()) }
        }
        machine.isBlocked = isBlocked
        guard machine.hasHeld || input.isReadable, !machine.isFull, !isQueuedToResume, !isClosed else { return }
        isQueuedToResume = true
        server.resumeLater(self)
    }

    /// Continues as ``resumeSoon()`` has announced.
    func resumeNow() {
        isQueuedToResume = false
        resume()
    }

    private func resume() {
        while machine.hasHeld, !machine.isFull {
            let held = machine.takeHeld()
            unsafe held.withUnsafeBytes { unsafe process($0) }
        }
        if input.isReadable { read() } else { resumeSoon() }
    }

    // MARK: Replies

    private func returnBuffer() {
        var unused = OutputBuffer()
        swap(&unused, &machine.output)
        server.buffers.giveBack(unused)
    }

    /// Sends at the end of the reactor's turn, together with this connection's further replies and those of others.
    private func sendLater() {
        guard !isQueuedToSend, machine.isDone || !machine.output.isEmpty else { return }
        isQueuedToSend = true
        server.sendLater(self)
    }

    /// Sends what ``sendLater()`` has left to the end of the turn.
    func sendNow() {
        isQueuedToSend = false
        flush()
    }

    func flush() {
        send()
        if machine.isDone { finish() }
    }

    func send() {
        guard !isClosed, !machine.output.isEmpty else { return }
        // The output is taken out of the machine, as what follows uses the machine.
        var output = OutputBuffer()
        swap(&output, &machine.output)
        let outcome = unsafe output.drain { input.isGone ? .sent : unsafe replies.send($0) }
        server.buffers.giveBack(output)
        switch outcome {
        case .sent, .noMemory: break
        case .kept(let count):
            server.unsentGrew(by: count, of: client.peer.uid)
            guard server.watch(self) else { return close() }
            machine.isBlocked = isBlocked
        case .broken: peerIsGone()
        }
    }

    /// Sends kept bytes, as the socket accepts some again, or the kernel may have memory again.
    func sendUnsent() {
        let (sent, outcome) = replies.sendKept()
        if sent > 0 { server.unsentShrank(by: sent, of: client.peer.uid) }
        switch outcome {
        case .sent:
            server.stopWatching(self)
            if isFinishing { close() } else { resumeSoon() }
        case .kept: resumeSoon()
        case .noMemory: server.sendAgain(self)
        case .broken: peerIsGone()
        }
    }

    /// Processes what the peer of a broken connection has sent before, and then closes it.
    private func peerIsGone() {
        input.peerIsGone()
        dropReplies()
        resumeSoon()
    }

    /// Drops the replies that nobody will read.
    private func dropReplies() {
        let dropped = replies.removeAll()
        if dropped > 0 {
            server.unsentShrank(by: dropped, of: client.peer.uid)
            server.stopWatching(self)
        }
        if isFinishing { close() }
    }

    /// Closes the connection if its peer has read nothing of its replies for too long.
    ///
    /// It is called at equal intervals while bytes are unsent.
    func checkProgress() {
        if replies.isStalled() { close() }
    }

    /// True if no more requests may be answered for now, as this peer or all peers together have too much unread.
    private var isBlocked: Bool { !input.isGone && (replies.isBlocking || isUnread) }

    /// True if this peer has unread replies, and all peers together, or those of its uid, have too many.
    private var isUnread: Bool {
        !replies.isEmpty && server.unsent.isExhausted(for: client.peer.uid, share: server.connectionShare)
    }

    /// Closes the connection after its output.
    private func finish() {
        guard !isFinishing, !isClosed else { return }
        isFinishing = true
        if replies.isEmpty { close() }
    }
}

@available(*, unavailable)
extension Connection: Sendable {}
