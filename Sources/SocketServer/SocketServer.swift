import Glibc
package import OperatorReplies
package import Reactor
package import SystemPackage
package import TokenCache
package import TokenProtocol

// SocketServer: the daemon's two Unix sockets.
//
// Purpose: the rules of the line protocol and of the cache are values without I/O. This module moves their bytes.
// It promises that a connection is not read while too many of its requests or replies are pending, that a peer that
// reads nothing is closed, that no uid takes the connections of others, and that a drain answers the requests under
// way.
//
// Its parts: Listening binds the sockets and accepts from them. Connections moves a connection's bytes and limits its
// use of resources. Access decides what a client may do. Requests passes authorized requests to the cache.

/// Serves both sockets on one reactor.
///
/// It is used on the reactor's thread only.
@safe package final class SocketServer {
    /// The time for which connections are still accepted and read after a drain has begun.
    ///
    /// Bytes that peers have sent by then reach the reactor within one turn, for which ten milliseconds are ample.
    package static let grace = Duration.milliseconds(10)
    /// The most bytes that are read at once: the longest line, nearly.
    private static let readSize = 64 * 1_024
    /// The output that a connection gathers before it sends, in bytes, in a turn with several connections.
    ///
    /// A batch of small requests can have replies twenty times its size, and more than this doesn't fit the processor's
    /// cache.
    private static let gathered = 64 * 1_024
    /// The same in a turn with one connection, whose peer reads the first replies while the next are being written.
    private static let streamed = 4 * 1_024

    /// The limit of open connections over both sockets.
    package var maxConnections: Int
    /// The share of the connections that one uid may have while another needs one.
    package var connectionShare: Double
    /// The counts of connections since the start.
    package internal(set) var counts = StatsReply.Connections()

    let requestHandler: any RequestHandler
    /// The memory that all connections read into, one after another.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readSize, alignment: 64)
    var buffers = BufferPool()
    /// The output that a connection gathers before it sends, in bytes, by the number of connections in the last turn.
    private(set) var largeOutput = streamed
    /// The connections that have more requests than are answered at once.
    let scheduler = ConnectionScheduler()
    /// The bytes of replies that peers have not read yet.
    private(set) var unsent: UnsentBytes

    /// The connections whose last read may have left bytes.
    let leftoverCheck: LeftoverCheck

    private let reactor: Reactor
    let calls: SystemCalls
    private let unitOf: Peer.UnitLookup
    private let releaseMemory: () -> Void
    private var failedAccepts = (count: 0, reason: String?.none)
    var connections = ConnectionTable()
    private let unsentWatch: UnsentWatch
    private var listeners: [Listener] = []
    private var lastNumber: UInt64 = 0
    private var lastUse: UInt64 = 0
    /// The connections that continue at the end of this turn.
    private var resuming: [Connection] = []
    /// The connections that send at the end of this turn.
    private var sending: [Connection] = []
    /// The connections that are sending.
    private var sendingNow: [Connection] = []
    /// True if connections had yielded before this turn began, which has looked at all sockets since.
    private var isRoundDue = false
    private var drain: Drain?

    /// A drain that has begun.
    private struct Drain {
        var isGraceOver = false
        var isOver = false
        var timers: [ReactorTimer] = []
        var completions: [() -> Void] = []
    }

    /// Creates a server that listens on no socket yet.
    ///
    /// - Parameters:
    ///   - calls: The system calls on its sockets.
    ///   - maxUnsent: The limit of unsent bytes of replies over all connections.
    ///   - unitOf: Finds the systemd unit of a socket's peer.
    ///   - releaseMemory: Called when many unsent bytes were freed, and returns at once.
    package init(
        on reactor: Reactor,
        calls: SystemCalls = .kernel,
        maxConnections: Int,
        connectionShare: Double = 0.5,
        maxUnsent: Int? = nil,
        requestHandler: any RequestHandler,
        unitOf: @escaping Peer.UnitLookup = { _ in nil },
        releaseMemory: @escaping () -> Void = {}
    ) {
        (self.reactor, self.calls, self.releaseMemory) = (reactor, calls, releaseMemory)
        self.unitOf = unitOf
        unsent = maxUnsent.map { UnsentBytes(limit: $0) } ?? UnsentBytes()
        self.maxConnections = maxConnections
        self.connectionShare = connectionShare
        self.requestHandler = requestHandler
        unsentWatch = UnsentWatch(on: reactor)
        leftoverCheck = LeftoverCheck(on: reactor)
    }

    deinit { unsafe readBuffer.deallocate() }

    // MARK: Turns

    /// Makes the reactor call the server at the end of its turns.
    ///
    /// It is called on the reactor's thread before the server is used, and may be called again.
    package func start() { reactor.turnEnded = { [weak self] in self?.turnEnded() } }

    /// Continues and sends what this turn has left, once the reactor has looked at all sockets.
    private func turnEnded() {
        if isRoundDue { scheduler.serveRound() }
        if !resuming.isEmpty {
            for connection in exchange(&resuming, with: []) { connection.resumeNow() }
        }
        sendAll()
        requestHandler.turnEnded()
        isRoundDue = scheduler.hasYielded
        if isRoundDue || !resuming.isEmpty || !sending.isEmpty { reactor.turnSoon() }
    }

    /// Sends the replies of all connections.
    ///
    /// Waking a peer for a single reply costs both sides more than the request. So the requests of a turn are answered
    /// first, and all replies are sent at its end. A peer with several connections finds all its replies together.
    private func sendAll() {
        guard !sending.isEmpty else { return }
        // Sending may close a connection, and others with it. What that adds is sent in the next turn. Two lists take turns,
        // so that neither is allocated anew.
        swap(&sending, &sendingNow)
        largeOutput = sendingNow.count > 1 ? Self.gathered : Self.streamed
        for index in sendingNow.indices { sendingNow[index].sendNow() }
        sendingNow.removeAll(keepingCapacity: true)
    }

    /// Makes a connection send at the end of this turn.
    func sendLater(_ connection: Connection) { sending.append(connection) }

    /// Makes a connection continue at the end of this turn.
    func resumeLater(_ connection: Connection) { resuming.append(connection) }

    // MARK: Listening

    /// Serves a socket that is bound and listening.
    ///
    /// The server owns the descriptor from here on.
    ///
    /// - Parameter isHandedOver: True if the service manager keeps the socket open when this daemon ends. A drain then
    ///   leaves the connections in its queue to the next daemon. The queue of another socket would be lost, so a drain
    ///   still accepts from it.
    package func listen(on descriptor: CInt, kind: SocketKind, isHandedOver: Bool = false) throws(Errno) {
        let listener = Listener(
            ListeningPort(descriptor, calls: calls),
            kind: kind,
            isHandedOver: isHandedOver,
            on: reactor,
            onConnection: { [weak self] connection in
                if let self { accept(connection, kind: kind) } else { Glibc.close(connection) }
            },
            onFault: { [weak self] in self?.noteFailedAccept($0) }
        )
        do throws(Errno) {
            try listener.start()
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        listeners.append(listener)
    }

    private func noteFailedAccept(_ error: Errno) { failedAccepts = (failedAccepts.count + 1, "\(error)") }

    /// Stops accepting on all sockets of a kind except the last one.
    package func closeOlderListeners(_ kind: SocketKind) {
        guard let last = listeners.lastIndex(where: { $0.kind == kind }) else { return }
        let older = listeners[..<last].filter { $0.kind == kind }
        for listener in older { listener.close() }
        listeners.removeAll { listener in older.contains { $0 === listener } }
    }

    /// Stops accepting, answers the requests under way, and closes all connections, at the latest at the deadline.
    ///
    /// - Parameter completion: Called when all connections are closed.
    package func drain(within deadline: Duration, completion: @escaping () -> Void) {
        if let drain {
            if drain.isOver { completion() } else { self.drain?.completions.append(completion) }
            return
        }
        for listener in listeners where listener.isHandedOver { listener.close() }
        let end = ReactorTimer(on: reactor) { [weak self] in self?.endDrain() }
        let grace = ReactorTimer(on: reactor) { [weak self] in self?.endGrace() }
        drain = Drain(timers: [grace, end], completions: [completion])
        grace.schedule(in: Self.grace)
        end.schedule(in: deadline)
    }

    private func endDrain() {
        for connection in connections.all { connection.endDrain() }
    }

    private func endGrace() {
        // The queue of a socket that is handed over is the next daemon's. Its listener is closed already.
        for listener in listeners where !listener.isHandedOver { listener.acceptRest() }
        for listener in listeners { listener.close() }
        // The requests that peers have sent by now are answered.
        for connection in connections.all { connection.ready(.readable) }
        drain?.isGraceOver = true
        for connection in connections.all { connection.drain() }
        endIfDrained()
    }

    private func endIfDrained() {
        guard let drain, drain.isGraceOver, !drain.isOver, connections.isEmpty else { return }
        self.drain = Drain(isGraceOver: true, isOver: true)
        for timer in drain.timers { timer.schedule(at: nil) }
        for completion in drain.completions { completion() }
    }

    /// The counts of connections that could not be served.
    package var connectionFaults: ConnectionFaults {
        var faults = ConnectionFaults()
        faults.rejected = counts.rejected
        (faults.failedAccepts, faults.lastReason) = failedAccepts
        return faults
    }

    // MARK: Connections

    /// Delivers a reply to a request that waited.
    ///
    /// It is dropped if the connection was closed.
    package func deliver(_ reply: Reply, to waiter: Waiter) {
        connections[waiter.connection]?.deliver(reply, to: waiter.ticket)
    }

    /// Serves a connection that was accepted, or rejects it if there are too many.
    ///
    /// The server owns the descriptor from here on, which must not block.
    package func accept(_ descriptor: CInt, kind: SocketKind) {
        do {
            let uid = try Peer.user(of: descriptor)
            guard hasSpace(for: uid, kind) else { return reject(descriptor, uid) }
            try serve(descriptor, Client(socket: kind, peer: Peer.of(descriptor, unit: unitOf)))
        } catch {
            // The peer has ended, or the kernel has no memory left for it.
            Glibc.close(descriptor)
        }
    }

    private func serve(_ descriptor: CInt, _ client: Client) throws(Errno) {
        lastNumber += 1
        let socket = StreamSocket(descriptor, calls: calls)
        let connection = Connection(number: lastNumber, client: client, socket: socket, server: self)
        try reactor.register(connection, for: .reading)
        // The connection is counted only now, as it is sure to report its end.
        connections.insert(connection)
        counts.open += 1
        counts.accepted += 1
    }

    /// Waits until a connection's socket accepts bytes again, and checks that its peer reads.
    ///
    /// - Returns: False if that is not possible, so that the connection has to be closed.
    func watch(_ connection: Connection) -> Bool { unsentWatch.add(connection) }

    /// Waits no longer, as the peer has read all.
    func stopWatching(_ connection: Connection) { unsentWatch.remove(connection) }

    /// Makes a connection send again after a moment, as the kernel has no memory for its bytes.
    func sendAgain(_ connection: Connection) { unsentWatch.sendAgain(connection) }

    /// Calls a connection no longer, which closes its descriptor.
    func stopServing(_ connection: Connection) {
        unsentWatch.forget(connection)
        reactor.deregister(connection)
    }

    /// Notes that a connection was closed.
    func closed(_ connection: Connection) {
        guard connections.remove(connection) else { return }
        counts.open -= 1
        endIfDrained()
    }

    /// Notes that a connection has no waiting requests any more.
    func waitsNoLonger(_ connection: Connection) { connections.waitsNoLonger(connection) }

    /// Adds the connections of each uid to the statistics.
    package func fill(_ stats: inout StatsReply) {
        stats.connections = counts
        stats.connections.admin = connections.adminCount
        stats.connections.max = maxConnections
        stats.connections.unsent = unsent.total
        for (uid, count) in connections.quotas.open { stats.uids[uid, default: .init()].connections = count }
        for (uid, count) in connections.quotas.rejected { stats.uids[uid, default: .init()].overloaded += count }
    }

    /// Notes bytes of replies that wait for a peer.
    func unsentGrew(by count: Int, of uid: UInt32) { unsent.add(count, of: uid) }

    /// Notes bytes of replies that wait no longer.
    func unsentShrank(by count: Int, of uid: UInt32) {
        unsent.remove(count, of: uid)
        if unsent.hasReleasedMuch() { releaseMemory() }
    }

    /// Returns a number for a use of a connection, higher than all before.
    func newUse() -> UInt64 {
        lastUse += 1
        return lastUse
    }
}

@available(*, unavailable)
extension SocketServer: Sendable {}
