import Glibc
package import NIOCore
import NIOPosix
package import OperatorReplies
package import TokenCache
package import TokenProtocol

/// Serves both sockets on one event loop.
///
/// It is used on that loop only, but for ``listen(on:kind:)`` and ``drain(within:)``, which start there.
package final class SocketServer {
    /// How long connections are still accepted and read once a drain has begun: what peers had sent by then has arrived
    /// on the loop after one round; ten milliseconds are many.
    package static let grace = TimeAmount.milliseconds(10)
    /// Reads start small and follow what comes, up to the longest line and a bit.
    private static let readSizes = (minimum: 1_024, initial: 4_096, maximum: 65_536)
    /// A connection isn't read while so many bytes of replies wait to be taken, until it is down to the lower number.
    private static let writeMarks = ChannelOptions.Types.WriteBufferWaterMark(low: 128 * 1_024, high: 512 * 1_024)

    /// The loop.
    package let eventLoop: any EventLoop
    /// In a round of the loop so many requests are answered that are no hits, of all connections that have more: some
    /// milliseconds' worth.
    private static let workPerRound = 256
    /// And so many of one connection, whose peer may have sent thousands at once.
    private static let mostWorkPerTurn = 32

    /// Where all connections are taken, the admin socket has so many more for itself: no app can shut its operator out.
    package static let adminPlaces = 8

    /// How many connections may be open over both sockets.
    package var maxConnections: Int
    /// The share of them that one uid may have while another has no room.
    package var connectionShare: Double
    /// Connections since the start.
    package private(set) var counts = StatsReply.Connections()

    private let requestHandler: any RequestHandler
    private let unitOf: Peer.UnitLookup
    private let giveMemoryBack: () -> Void
    private let callNextRound: () -> Void
    /// Connections that have more to be answered, and wait for their next turn.
    private var resting: [ConnectionHandler] = []
    /// The number of connections that rested before the present round.
    private var roundSize = 0
    private let sendQueue: SendQueue
    private var connections: [UInt64: ConnectionHandler] = [:]
    private var adminConnections: [UInt64: ConnectionHandler] = [:]
    /// The replies that peers have not taken yet.
    private(set) var backlog: Backlog
    private var listeners: [Listener] = []
    private var shares = ConnectionShares()
    private var lastNumber: UInt64 = 0
    private var lastUse: UInt64 = 0
    private var drained: EventLoopPromise<Void>?
    private var isGraceOver = false

    /// A socket that is accepted from.
    private struct Listener {
        let channel: any Channel
        let kind: SocketKind
        /// Whether somebody else holds the socket, too, and whoever is queued there is served by the next daemon.
        let isHandedOver: Bool
    }

    /// A server that listens nowhere yet.
    ///
    /// - Parameters:
    ///   - mostBacklog: How many bytes of replies may wait for peers that don't take them, over all connections.
    ///   - unitOf: Finds the systemd unit of a socket's peer.
    ///   - callNextRound: Has ``nextRound()`` called when the loop has looked at all sockets again; nil: as soon as may be.
    ///   - giveMemoryBack: Is called when much has been freed that waited for peers; it must not wait.
    package init(
        on eventLoop: any EventLoop,
        maxConnections: Int,
        connectionShare: Double = 0.5,
        mostBacklog: Int? = nil,
        requestHandler: any RequestHandler,
        unitOf: @escaping Peer.UnitLookup = { _ in nil },
        callNextRound: (() -> Void)? = nil,
        giveMemoryBack: @escaping () -> Void = {}
    ) {
        self.giveMemoryBack = giveMemoryBack
        let server = Unowned()
        self.callNextRound = callNextRound ?? { eventLoop.assumeIsolated().execute { server.value?.nextRound() } }
        self.unitOf = unitOf
        backlog = mostBacklog.map { Backlog(most: $0) } ?? Backlog()
        self.eventLoop = eventLoop
        self.maxConnections = maxConnections
        self.connectionShare = connectionShare
        self.requestHandler = requestHandler
        sendQueue = SendQueue(on: eventLoop, requestHandler: requestHandler)
        server.value = self
    }

    private final class Unowned {
        weak var value: SocketServer?
    }

    // MARK: Turns

    /// The work that a connection may have done before others have their turn, in requests.
    var workPerTurn: Int {
        max(1, min(Self.mostWorkPerTurn, Self.workPerRound / max(1, roundSize, resting.count)))
    }

    /// A connection has had its turn and has more.
    func rest(_ connection: ConnectionHandler) {
        resting.append(connection)
        if resting.count == 1 { callNextRound() }
    }

    /// Gives each connection that rests its turn; by now the loop has seen to the others.
    package func nextRound() {
        let connections = resting
        resting = []
        roundSize = connections.count
        var (work, served) = (0, 0)
        while served < connections.count, work < Self.workPerRound {
            work += connections[served].goOn()
            served += 1
        }
        // Those whose turn has not come, as a prefetch may cost a thousand requests, are the first of the next round.
        if served < connections.count {
            if resting.isEmpty { callNextRound() }
            resting.insert(contentsOf: connections[served...], at: 0)
        }
        if resting.isEmpty { roundSize = 0 }
    }

    /// Serves a socket that is bound and listening; the server owns the descriptor from here on.
    ///
    /// - Parameter isHandedOver: Whether the service manager keeps the socket open when this daemon ends. A drain then
    ///   leaves whoever is queued there to the next daemon; otherwise they would be lost, so they are still accepted.
    package func listen(on descriptor: CInt, kind: SocketKind, isHandedOver: Bool = false) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return ServerBootstrap(group: eventLoop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause())
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

    /// Stops accepting on all sockets of a kind but the one that was listened on last.
    package func closeOlderListeners(_ kind: SocketKind) {
        guard let last = listeners.lastIndex(where: { $0.kind == kind }) else { return }
        for (index, listener) in listeners.enumerated() where index != last && listener.kind == kind {
            listener.channel.close(promise: nil)
        }
        listeners = listeners.enumerated().filter { $0 == last || $1.kind != kind }.map(\.element)
    }

    /// Hands a reply to a request that waited; nobody is there any more: it is dropped.
    package func deliver(_ reply: Reply, to waiter: Waiter) {
        connections[waiter.connection]?.deliver(reply, to: waiter.ticket)
    }

    /// Stops accepting, answers what is under way and closes; what isn't answered by the deadline is closed all the same.
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

    // MARK: Connections

    /// Serves a connection that has just been accepted; one too many is told so and closed.
    package func accept(_ channel: any Channel, kind: SocketKind) throws {
        let uid = try Peer.user(of: channel)
        guard counts.open < maxConnections || makeRoom(for: uid) || kind == .admin && makeAdminRoom() else {
            counts.refused += 1
            shares.refused(to: uid)
            return try channel.pipeline.syncOperations.addHandler(RefusalHandler())
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
        // Counted when its end is sure to be heard of.
        connections[lastNumber] = handler
        if kind == .admin { adminConnections[lastNumber] = handler }
        shares.opened(by: uid)
        counts.open += 1
        counts.accepted += 1
    }

    /// A connection is gone.
    func closed(_ number: UInt64) {
        guard let connection = connections.removeValue(forKey: number) else { return }
        adminConnections[number] = nil
        counts.open -= 1
        shares.closed(by: connection.client.peer.uid)
        endIfDrained()
    }

    /// What each uid has of the connections.
    package func fill(_ stats: inout StatsReply) {
        stats.connections = counts
        stats.connections.unsent = backlog.total
        for (uid, count) in shares.open { stats.uids[uid, default: .init()].connections = count }
        for (uid, count) in shares.refused { stats.uids[uid, default: .init()].overloaded += count }
    }

    /// Notes bytes that wait for a peer to take them.
    func backlogGrew(by count: Int, of uid: UInt32) { backlog.add(count, of: uid) }

    /// Notes bytes that wait no more.
    func backlogShrank(by count: Int, of uid: UInt32) {
        backlog.remove(count, of: uid)
        if backlog.hasReleasedMuch() { giveMemoryBack() }
    }

    /// The number of a use of a connection, higher than all before.
    func newUse() -> UInt64 {
        lastUse += 1
        return lastUse
    }

    /// Closes a connection of a uid that has more than its quota: one that waits for nothing, the longest unused of them.
    private func makeRoom(for uid: UInt32) -> Bool {
        guard let owner = shares.toGiveWay(to: uid, limit: maxConnections, share: connectionShare),
            let connection = connections.values
                .filter({ $0.client.peer.uid == owner })
                .min(by: { ($0.isWaiting ? 1 : 0, $0.lastUse) < ($1.isWaiting ? 1 : 0, $1.lastUse) })
        else { return false }
        counts.refused += 1
        shares.refused(to: owner)
        connection.giveWay()
        closed(connection.number)
        return true
    }

    /// Finds one of the admin socket's own places; where they are taken, the longest unused gives way.
    private func makeAdminRoom() -> Bool {
        guard adminConnections.count >= Self.adminPlaces else { return true }
        let longestUnused = adminConnections.values.min {
            ($0.isWaiting ? 1 : 0, $0.lastUse) < ($1.isWaiting ? 1 : 0, $1.lastUse)
        }
        guard let longestUnused else { return true }
        counts.refused += 1
        longestUnused.giveWay()
        closed(longestUnused.number)
        return true
    }

    private func endIfDrained() {
        guard isGraceOver, connections.isEmpty else { return }
        drained?.succeed()
    }
}

@available(*, unavailable)
extension SocketServer: Sendable {}
