import Glibc
package import NIOCore
import NIOPosix
package import OperatorReplies
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

/// Serves both sockets on one event loop.
///
/// It is used on that loop only, except for ``listen(on:kind:isHandedOver:)`` and ``drain(within:)``, which start
/// there.
package final class SocketServer {
    /// The time for which connections are still accepted and read after a drain has begun.
    ///
    /// Bytes that peers have sent by then reach the loop within one round, for which ten milliseconds are ample.
    package static let grace = TimeAmount.milliseconds(10)
    /// The size of reads in bytes: small at first, then as the peer sends, up to the longest line and a little more.
    private static let readSizes = (minimum: 1_024, initial: 4_096, maximum: 65_536)
    /// A connection isn't read while more bytes of replies than this are unsent, until they are down to the lower
    /// number.
    private static let writeMarks = ChannelOptions.Types.WriteBufferWaterMark(low: 128 * 1_024, high: 512 * 1_024)

    /// The number of connections to the admin socket that may be open while all others are taken.
    ///
    /// Without them an app could lock its operator out.
    package static let reservedAdminConnections = 8

    /// The event loop.
    package let eventLoop: any EventLoop
    /// The limit of open connections over both sockets.
    package var maxConnections: Int
    /// The share of the connections that one uid may have while another needs one.
    package var connectionShare: Double
    /// The counts of connections since the start.
    package private(set) var counts = StatsReply.Connections()

    private let requestHandler: any RequestHandler
    private let unitOf: Peer.UnitLookup
    private let releaseMemory: () -> Void
    private let sendQueue: SendQueue
    /// The connections that have more requests than are answered at once.
    let scheduler: ConnectionScheduler
    private var connections: [UInt64: ConnectionHandler] = [:]
    private var adminConnections: [UInt64: ConnectionHandler] = [:]
    /// The bytes of replies that peers have not read yet.
    private(set) var unsent: UnsentBytes
    private var listeners: [Listener] = []
    private var quotas = ConnectionQuotas()
    private var lastNumber: UInt64 = 0
    private var lastUse: UInt64 = 0
    private var drained: EventLoopPromise<Void>?
    private var isGraceOver = false

    /// A socket on which connections are accepted.
    private struct Listener {
        let channel: any Channel
        let kind: SocketKind
        /// True if the service manager has the socket, too, so that the next daemon serves the connections in its
        /// queue.
        let isHandedOver: Bool
    }

    /// Creates a server that listens on no socket yet.
    ///
    /// - Parameters:
    ///   - maxUnsent: The limit of unsent bytes of replies over all connections.
    ///   - unitOf: Finds the systemd unit of a socket's peer.
    ///   - scheduleNextRound: Makes its owner call ``nextRound()`` once the loop has looked at all sockets again. If it
    ///     is nil, the loop makes that call as soon as possible.
    ///   - releaseMemory: Called when many unsent bytes were freed, and returns at once.
    package init(
        on eventLoop: any EventLoop,
        maxConnections: Int,
        connectionShare: Double = 0.5,
        maxUnsent: Int? = nil,
        requestHandler: any RequestHandler,
        unitOf: @escaping Peer.UnitLookup = { _ in nil },
        scheduleNextRound: (() -> Void)? = nil,
        releaseMemory: @escaping () -> Void = {}
    ) {
        self.releaseMemory = releaseMemory
        let server = WeakReference()
        scheduler = ConnectionScheduler(
            scheduleNextRound: scheduleNextRound
                ?? { eventLoop.assumeIsolated().execute { server.value?.nextRound() } }
        )
        self.unitOf = unitOf
        unsent = maxUnsent.map { UnsentBytes(limit: $0) } ?? UnsentBytes()
        self.eventLoop = eventLoop
        self.maxConnections = maxConnections
        self.connectionShare = connectionShare
        self.requestHandler = requestHandler
        sendQueue = SendQueue(on: eventLoop, requestHandler: requestHandler)
        server.value = self
    }

    private final class WeakReference {
        weak var value: SocketServer?
    }

    /// Serves the connections that have more requests than were answered at once.
    package func nextRound() { scheduler.serveRound() }

    // MARK: Listening

    /// Serves a socket that is bound and listening.
    ///
    /// The server owns the descriptor from here on.
    ///
    /// - Parameter isHandedOver: True if the service manager keeps the socket open when this daemon ends. A drain then
    ///   leaves the connections in its queue to the next daemon. The queue of another socket would be lost, so a drain
    ///   still accepts from it.
    package func listen(on descriptor: CInt, kind: SocketKind, isHandedOver: Bool = false) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return ServerBootstrap(group: eventLoop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoff())
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel, kind: kind) }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: Self.writeMarks)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: Self.readSizes.minimum,
                    initial: Self.readSizes.initial,
                    maximum: Self.readSizes.maximum
                )
            )
            .withBoundSocket(descriptor)
            .map { channel in
                // NIO has made the socket listen once more, with a backlog of 128.
                _ = Glibc.listen(descriptor, ListeningSocket.backlog)
                bound.value.listeners.append(Listener(channel: channel, kind: kind, isHandedOver: isHandedOver))
            }
    }

    /// Stops accepting on all sockets of a kind except the last one.
    package func closeOlderListeners(_ kind: SocketKind) {
        guard let last = listeners.lastIndex(where: { $0.kind == kind }) else { return }
        for (index, listener) in listeners.enumerated() where index != last && listener.kind == kind {
            listener.channel.close(promise: nil)
        }
        listeners = listeners.enumerated().filter { $0 == last || $1.kind != kind }.map(\.element)
    }

    /// Stops accepting, answers the requests under way, and closes all connections, at the latest at the deadline.
    package func drain(within deadline: TimeAmount) -> EventLoopFuture<Void> {
        if let drained { return drained.futureResult }
        let promise = eventLoop.makePromise(of: Void.self)
        drained = promise
        for listener in listeners where listener.isHandedOver { listener.channel.close(promise: nil) }
        let isolated = eventLoop.assumeIsolated()
        isolated.scheduleTask(in: Self.grace) {
            for listener in self.listeners { listener.channel.close(promise: nil) }
            self.isGraceOver = true
            for connection in self.connections.values { connection.drain() }
            self.endIfDrained()
        }
        let end = isolated.scheduleTask(in: deadline) {
            for connection in self.connections.values { connection.endDrain() }
        }
        promise.futureResult.assumeIsolated().whenComplete { _ in end.cancel() }
        return promise.futureResult
    }

    private func endIfDrained() {
        guard isGraceOver, connections.isEmpty else { return }
        drained?.succeed()
    }

    // MARK: Connections

    /// Delivers a reply to a request that waited.
    ///
    /// It is dropped if the connection was closed.
    package func deliver(_ reply: Reply, to waiter: Waiter) {
        connections[waiter.connection]?.deliver(reply, to: waiter.ticket)
    }

    /// Serves a connection that was accepted, or rejects it if there are too many.
    package func accept(_ channel: any Channel, kind: SocketKind) throws {
        let uid = try Peer.user(of: channel)
        guard counts.open < maxConnections || preemptConnection(for: uid) || kind == .admin && reserveAdminConnection()
        else {
            counts.rejected += 1
            quotas.rejected(by: uid)
            return try channel.pipeline.syncOperations.addHandler(ConnectionRejectionHandler())
        }
        let peer = try Peer.of(channel, unit: unitOf)
        lastNumber += 1
        let handler = ConnectionHandler(
            number: lastNumber,
            client: Client(socket: kind, peer: peer),
            server: self,
            requestHandler: requestHandler,
            sendQueue: sendQueue
        )
        try channel.pipeline.syncOperations.addHandler(handler)
        // The connection is counted only now, as the handler is sure to report its end.
        connections[lastNumber] = handler
        if kind == .admin { adminConnections[lastNumber] = handler }
        quotas.opened(by: uid)
        counts.open += 1
        counts.accepted += 1
    }

    /// Notes that a connection was closed.
    func closed(_ number: UInt64) {
        guard let connection = connections.removeValue(forKey: number) else { return }
        adminConnections[number] = nil
        counts.open -= 1
        quotas.closed(by: connection.client.peer.uid)
        endIfDrained()
    }

    /// Adds the connections of each uid to the statistics.
    package func fill(_ stats: inout StatsReply) {
        stats.connections = counts
        stats.connections.admin = adminConnections.count
        stats.connections.max = maxConnections
        stats.connections.unsent = unsent.total
        for (uid, count) in quotas.open { stats.uids[uid, default: .init()].connections = count }
        for (uid, count) in quotas.rejected { stats.uids[uid, default: .init()].overloaded += count }
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

    /// Closes a connection of a uid that has more than its quota.
    ///
    /// - Returns: False if there is no such uid.
    private func preemptConnection(for uid: UInt32) -> Bool {
        guard let donor = quotas.donor(for: uid, limit: maxConnections, share: connectionShare),
            let connection = Self.leastUsed(connections.values.filter { $0.client.peer.uid == donor })
        else { return false }
        quotas.rejected(by: donor)
        preempt(connection)
        return true
    }

    /// Finds one of the admin socket's reserved connections, and closes the least used one if all are taken.
    private func reserveAdminConnection() -> Bool {
        guard adminConnections.count >= Self.reservedAdminConnections,
            let connection = Self.leastUsed(adminConnections.values)
        else { return true }
        preempt(connection)
        return true
    }

    private func preempt(_ connection: ConnectionHandler) {
        counts.rejected += 1
        connection.preempt()
        closed(connection.number)
    }

    /// The connection that can best be closed: one without waiting requests, of these the longest unused one.
    private static func leastUsed(_ connections: some Collection<ConnectionHandler>) -> ConnectionHandler? {
        connections.min { ($0.isWaiting ? 1 : 0, $0.lastUse) < ($1.isWaiting ? 1 : 0, $1.lastUse) }
    }
}

@available(*, unavailable)
extension SocketServer: Sendable {}
