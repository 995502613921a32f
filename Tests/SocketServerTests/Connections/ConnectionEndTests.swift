import Glibc
import OperatorReplies
import SocketServer
import Testing
import TokenProtocol

@Suite("A connection whose peer is gone")
struct ConnectionEndTests {
    private static let token = #"{"op":"token","subject":"ann"}"# + "\n"
    private static let hello = #"{"op":"hello"}"# + "\n"
    private static let revoke = #"{"op":"revoke","subject":"ann"}"# + "\n"

    @Test("Every complete line of a peer that closes at once is processed, in slices.", arguments: [100, 1_500])
    func closesAtOnce(count: Int) throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(String(repeating: Self.hello, count: count) + Self.revoke + #"{"op":"tok"#)
        peer.close()
        driven.turn()
        #expect(driven.handler.kinds.count <= 64, "others are served in between")
        while driven.server.counts.open > 0 { driven.turn() }
        #expect(driven.handler.kinds.count == count + 1)
        #expect(driven.handler.outcomes == [.init(.revoke, .cancelled)])
        #expect(driven.handler.rejections == [.init(nil, .error(.invalidRequest))])
    }

    @Test("Requests behind more than may wait are processed, when the peer is gone.")
    func behindWaiting() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(String(repeating: Self.token, count: 1_100))
        driven.settle()
        #expect(driven.handler.waiters.count == 1_024)
        try peer.send(Self.revoke)
        peer.close()
        driven.settle()
        #expect(driven.handler.waiters.count == 1_101)
        #expect(driven.handler.cancelled == driven.handler.waiters)
        #expect(driven.handler.outcomes.last == .init(.revoke, .cancelled))
        #expect(driven.server.counts.open == 0)
    }

    @Test("Unread replies don't stop the processing when the peer is gone, and are dropped.")
    func unreadReplies() throws {
        let driven = try DrivenServer(maxUnsent: 1)
        let peer = try driven.connect()
        driven.shut()
        try peer.send(Self.hello)
        driven.settle()
        try peer.send(String(repeating: Self.hello, count: 50) + Self.revoke)
        driven.settle()
        #expect(driven.handler.kinds.count == 1)
        peer.close()
        driven.settle()
        #expect(driven.handler.kinds.count == 52)
        #expect(driven.handler.outcomes == [.init(.revoke, .cancelled)])
        var stats = StatsReply()
        driven.server.fill(&stats)
        #expect(stats.connections.unsent == 0)
        #expect(stats.connections.open == 0)
    }

    @Test("A half-closed connection processes everything, in slices, and gets all replies.")
    func halfCloses() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(String(repeating: Self.hello, count: 100) + Self.revoke)
        peer.endInput()
        var replies: [String] = []
        for _ in 0..<40 {
            driven.turn()
            replies += peer.received()
        }
        #expect(replies.count == 100)
        #expect(peer.isActive)
        driven.answerAll()
        #expect(peer.received() == [#"{"evicted":true}"#])
        #expect(!peer.isActive)
    }

    @Test("A peer that closes with replies that it has not read is heard, too.")
    func closesWithUnreadInput() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(Self.hello)
        driven.settle()
        // The peer's socket has a reply, so its end is a reset.
        try peer.send(String(repeating: Self.hello, count: 100) + Self.revoke)
        peer.close()
        driven.settle()
        #expect(driven.handler.kinds.count == 102)
        #expect(driven.server.counts.open == 0)
    }
}
