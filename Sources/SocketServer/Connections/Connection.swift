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
    private let server: SocketServer
    private let requestHandler: any RequestHandler
    private let socket: StreamSocket
    private var machine: ConnectionStateMachine
    private var unsent = UnsentReplies()
    private var detector = SlowConsumerDetector()
    /// True if the detector was asked to begin, so that a whole interval has passed when it is asked again.
    private var isWatched = false
    /// True if the socket may have bytes that were not read.
    ///
    /// The kernel reports new bytes once, so this remembers them while the connection isn't read.
    private var isReadable = false
    /// True if the peer has announced the end of its input, so that a read has to find it.
    private var hasInputEnded = false
    /// True if the peer has closed the connection, so that nobody reads replies.
    private var isGone = false
    private var isFinishing = false
    private var isClosed = false
    private var isQueuedToSend = false
    private var isQueuedToResume = false
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
        machine = ConnectionStateMachine(isAdmin: client.socket == .admin)
    }

    // MARK: The socket's events

    func ready(_ events: Events) {
        if events.contains(.writable), !unsent.isEmpty { sendUnsent() }
        guard events.concernReading else { return }
        isReadable = true
        if events.contains(.inputEnded) { hasInputEnded = true }
        if !events.isDisjoint(with: .hangUp) { (hasInputEnded, isGone) = (true, true) }
        read()
    }

    /// Reads until the socket has nothing more, but at most once or twice, as other connections wait.
    private func read() {
        readOnce()
        // The end of the input is not in the bytes before it.
        if hasInputEnded { readOnce() }
        if isGone, !isReadable || !canRead { return close() }
        resumeSoon()
    }

    private var canRead: Bool { !machine.isFull && !machine.hasHeld && !isFinishing && !isClosed }

    private func readOnce() {
        guard isReadable, canRead else { return }
        let buffer = unsafe server.readBuffer
        switch unsafe socket.receive(into: buffer) {
        case .bytes(let count):
            // A socket that has fewer bytes than fit has no more, unless the peer has passed descriptors or urgent data with
            // them, which end a read early. The rest is then read with what such a peer sends next.
            isReadable = count == buffer.count || hasInputEnded
            unsafe process(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        case .nothing: isReadable = false
        case .end:
            isReadable = false
            endInput()
        case .failed: close()
        }
    }

    private func endInput() {
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
    func close() {
        guard !isClosed else { return }
        isClosed = true
        server.stopServing(self)
        Glibc.close(descriptor)
        let dropped = unsent.removeAll()
        if dropped > 0 { server.unsentShrank(by: dropped, of: client.peer.uid) }
        let pending = machine.close()
        requestHandler.cancel(pending.map { Waiter(connection: number, ticket: $0.ticket) })
        for request in pending { requestHandler.ended(request.operation, .cancelled) }
        server.closed(number)
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
            // Hits are not steps. They cost little and are not counted.
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
    /// It can't do so at once, as a reply may come in the middle of this connection's batch or of another's.
    private func resumeSoon() {
        machine.isBlocked = isBlocked
        guard machine.hasHeld || isReadable, !machine.isFull, !isQueuedToResume, !isClosed else { return }
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
        if isReadable { read() }
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

    private func flush() {
        send()
        if machine.isDone { finish() }
    }

    private func send() {
        guard !isClosed, !machine.output.isEmpty else { return }
        // The output is taken out of the machine, as closing the connection uses the machine.
        var output = OutputBuffer()
        swap(&output, &machine.output)
        let isBroken = unsafe output.drain { unsafe !send($0) }
        server.buffers.giveBack(output)
        if isBroken { close() }
    }

    /// Sends bytes, and keeps those that the socket doesn't accept.
    ///
    /// - Returns: False if the connection is broken.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var sent = 0
        // Earlier bytes have to be sent first.
        if unsent.isEmpty {
            switch unsafe socket.send(bytes) {
            case .bytes(let count): sent = count
            // The socket is writable, so the reactor lets it try again in its next turn.
            case .noMemory: break
            case .failed: return false
            }
        }
        guard sent < bytes.count else { return true }
        return unsafe keep(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
    }

    private func keep(_ rest: UnsafeRawBufferPointer) -> Bool {
        guard !unsent.isEmpty || server.watch(self) else { return false }
        unsafe unsent.append(rest)
        detector.sending(rest.count)
        server.unsentGrew(by: rest.count, of: client.peer.uid)
        machine.isBlocked = isBlocked
        return true
    }

    /// Sends kept bytes, as the socket accepts some again, or the kernel may have memory again.
    func sendUnsent() {
        while let chunk = unsent.first {
            switch unsafe chunk.withUnsafeBytes({ unsafe socket.send($0) }) {
            case .bytes(let count):
                unsent.removeFirst(count)
                server.unsentShrank(by: count, of: client.peer.uid)
                if count < chunk.count { return resumeSoon() }
            case .noMemory: return server.sendAgain(self)
            case .failed: return close()
            }
        }
        isWatched = false
        server.stopWatching(self)
        if isFinishing { close() } else { resumeSoon() }
    }

    /// Closes the connection if its peer has read nothing of its replies for too long.
    ///
    /// It is called at equal intervals while bytes are unsent.
    func checkProgress() {
        guard isWatched else {
            isWatched = true
            return
        }
        if detector.check(unsent: unsent.count) == .stalled { close() }
    }

    /// True if no more requests may be answered for now, as this peer or all peers together have too much unread.
    private var isBlocked: Bool {
        if unsent.isBlocking { return true }
        return !unsent.isEmpty && server.unsent.isExhausted(for: client.peer.uid, share: server.connectionShare)
    }

    /// Closes the connection after its output.
    private func finish() {
        guard !isFinishing, !isClosed else { return }
        isFinishing = true
        if unsent.isEmpty { close() }
    }
}

@available(*, unavailable)
extension Connection: Sendable {}

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
