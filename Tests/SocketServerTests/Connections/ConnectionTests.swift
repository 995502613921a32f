import Glibc
import OperatorReplies
import SocketServer
import Testing
import TokenProtocol

@Suite("A connection")
struct ConnectionTests {
    private static let token = #"{"op":"token","subject":"ann"}"# + "\n"
    private static let hello = #"{"op":"hello"}"# + "\n"

    @Test("Requests that were read together are answered with one send.")
    func oneSend() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        // A reply has about a kilobyte. With four or more, a peer that is served alone gets them in pieces.
        try peer.send(String(repeating: Self.hello, count: 3))
        driven.turn()
        #expect(peer.received().count == 3)
        #expect(driven.faults.reads == 1)
        #expect(driven.faults.sends == 1)
    }

    @Test("A connection with 1,024 waiting requests isn't read until one of them is answered.")
    func full() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(String(repeating: Self.token, count: 1_025))
        driven.settle()
        #expect(driven.handler.waiters.count == 1_024)
        try peer.send(Self.token)
        driven.settle()
        #expect(driven.faults.reads == 1)
        driven.server.deliver(.evicted, to: driven.handler.waiters[0])
        #expect(driven.handler.waiters.count == 1_024, "the rest is processed later, not within the delivery")
        driven.settle()
        #expect(driven.handler.waiters.count == 1_025)
        #expect(driven.faults.reads == 1, "it is full again")
        driven.server.deliver(.evicted, to: driven.handler.waiters[1])
        driven.settle()
        #expect(driven.handler.waiters.count == 1_026)
        #expect(driven.faults.reads == 2)
    }

    @Test("While the socket accepts no more bytes, requests are kept, and answered afterwards.")
    func unwritable() throws {
        let driven = try DrivenServer(maxUnsent: 1)
        let peer = try driven.connect()
        driven.shut()
        try peer.send(Self.hello)
        driven.settle()
        try peer.send(Self.hello)
        driven.settle()
        #expect(driven.handler.kinds.count == 1)
        #expect(driven.faults.reads == 1)
        #expect(peer.received().isEmpty)
        driven.open(peer)
        driven.settle()
        #expect(peer.received().count == 2)
        #expect(driven.faults.reads == 2)
    }

    @Test("Replies for which the kernel has no memory are sent a moment later.", arguments: [ENOMEM, ENOBUFS])
    func noMemory(error: CInt) throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        driven.faults.failSends(with: error)
        try peer.send(Self.hello)
        driven.settle()
        #expect(driven.faults.sends == 2, "it doesn't try again in each turn")
        #expect(peer.isActive)
        driven.faults.failSends(with: 0)
        driven.advance(by: .milliseconds(20))
        #expect(peer.received().count == 1)
        try peer.send(Self.hello)
        driven.settle()
        #expect(peer.received().count == 1)
    }

    @Test("After a half-close all requests are answered, including held ones, then the connection is closed.")
    func halfClose() throws {
        let driven = try DrivenServer(maxUnsent: 1)
        let peer = try driven.connect()
        driven.shut()
        try peer.send(Self.hello)
        driven.settle()
        try peer.send(Self.token + Self.hello + "unfinished")
        peer.endInput()
        driven.settle()
        #expect(peer.isActive)
        driven.open(peer)
        driven.settle()
        #expect(peer.isActive)
        #expect(peer.received().count == 1)
        driven.answerAll()
        let replies = peer.received()
        #expect(replies.count == 3)
        #expect(replies.first == #"{"evicted":true}"#)
        #expect(replies.last?.contains("invalid_request") == true)
        #expect(!peer.isActive)
        #expect(driven.server.counts.open == 0)
    }

    @Test("A peer that sends and closes at once is heard, and its waiting requests are cancelled.")
    func sendAndClose() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(Self.hello + Self.token)
        peer.close()
        driven.settle()
        #expect(driven.handler.kinds.count == 2)
        #expect(driven.handler.cancelled == driven.handler.waiters)
        #expect(driven.handler.cancelled.count == 1)
        #expect(driven.server.counts.open == 0)
    }

    @Test("A peer that closes while its connection isn't read is noticed at once.")
    func closeWhileFull() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(String(repeating: Self.token, count: 1_025))
        driven.settle()
        peer.close()
        driven.settle()
        #expect(driven.handler.cancelled.count == 1_025, "the last one was received, too")
        #expect(driven.server.counts.open == 0)
    }

    @Test("A peer that reads nothing for 30 s is closed, and its waiting requests are cancelled.")
    func stalled() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        driven.shut()
        try peer.send(Self.token + #"{"op":"hello","id":1}"# + "\n")
        driven.settle()
        driven.advance(by: .seconds(29))
        #expect(peer.isActive)
        driven.advance(by: .seconds(6))
        #expect(!peer.isActive)
        #expect(driven.handler.cancelled == driven.handler.waiters)
        #expect(driven.handler.cancelled.count == 1)
        #expect(driven.handler.outcomes == [.init(.token, .cancelled)])
        var stats = StatsReply()
        driven.server.fill(&stats)
        #expect(stats.connections.unsent == 0)
    }

    @Test("A peer that reads something now and then is not closed, nor is one to which nothing was sent.")
    func slow() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        let idle = try driven.connect()
        for _ in 0..<20 {
            driven.shut()
            try peer.send(Self.hello)
            driven.settle()
            driven.advance(by: .seconds(20))
            driven.open(peer)
            #expect(peer.isActive)
        }
        #expect(peer.received().count == 20)
        #expect(idle.isActive)
    }

    @Test("While too many replies are unread, a request that waits gets an error in place of its reply.")
    func unreadDelivery() throws {
        let driven = try DrivenServer(maxUnsent: 1)
        let peer = try driven.connect()
        driven.shut()
        try peer.send(#"{"op":"token","subject":"ann","id":1}"# + "\n" + Self.hello)
        driven.settle()
        driven.server.deliver(.evicted, to: driven.handler.waiters[0])
        driven.settle()
        driven.open(peer)
        driven.settle()
        let error = #""error":"overloaded","error_description":"too many replies have not been read","retry_after":1}"#
        #expect(peer.received().last == #"{"id":1,"# + error)
        #expect(driven.handler.outcomes == [.init(.token, .error(.overloaded))])
    }

    @Test("A connection without waiting requests, of these the longest unused, is closed for a newer administrator.")
    func preemption() throws {
        let driven = try DrivenServer(maxConnections: 1)
        let app = try driven.connect()
        var admins = try (0..<SocketServer.reservedAdminConnections).map { _ in try driven.connect(.admin) }
        try admins[0].send(#"{"op":"stats"}"# + "\n")
        driven.turn()
        /// Sends a request, and receives its reply.
        func use(_ admin: DrivenPeer) throws {
            try admin.send(#"{"op":"flush"}"# + "\n")
            driven.turn()
            #expect(admin.received().count == 1)
        }
        for admin in admins.dropFirst() { try use(admin) }
        for closed in [1, 2] {
            admins.append(try driven.connect(.admin))
            let text = "too many connections are open: a newer one to the admin socket needs it"
            let error = #"{"error":"overloaded","error_description":"\#(text)","retry_after":1}"#
            #expect(admins[closed].received() == [error])
            #expect(!admins[closed].isActive)
        }
        try use(admins[3])
        admins.append(try driven.connect(.admin))
        #expect(!admins[4].isActive)
        driven.server.deliver(.evicted, to: driven.handler.waiters[0])
        driven.settle()
        admins.append(try driven.connect(.admin))
        #expect(!admins[0].isActive, "it waits for nothing any more")
        #expect([3, 5, 6, 7, 8, 9, 10, 11].allSatisfy { admins[$0].isActive })
        #expect(app.isActive)
    }

    @Test("A connection that breaks within a batch leaves no request waiting.", arguments: [EPIPE, ECONNRESET])
    func goneInBatch(error: CInt) throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        driven.faults.failSends(with: error)
        // A reply has over a kilobyte, so output is sent long before the last line is processed.
        try peer.send(Self.token + String(repeating: #"{"op":"hello","id":1}"# + "\n", count: 200) + Self.token)
        driven.settle()
        #expect(!peer.isActive)
        #expect(driven.handler.waiters.count == 2)
        #expect(driven.handler.cancelled == driven.handler.waiters)
        #expect(driven.handler.outcomes == [.init(.token, .cancelled), .init(.token, .cancelled)])
        #expect(driven.server.counts.open == 0)
    }

    @Test("A connection above the limit is rejected, and accepted once another one was closed.")
    func maxConnections() throws {
        let driven = try DrivenServer(maxConnections: 1)
        let first = try driven.connect()
        let second = try driven.connect()
        #expect(
            second.received() == [
                #"{"error":"overloaded","error_description":"too many connections are open","retry_after":1}"#
            ]
        )
        #expect(!second.isActive)
        first.close()
        driven.turn()
        let third = try driven.connect()
        #expect(third.isActive)
        #expect(driven.server.counts.accepted == 2)
        #expect(driven.server.counts.rejected == 1)
    }

    @Test("A peer that sends thousands of lines at once is answered in slices, and others in between.")
    func slices() throws {
        let driven = try DrivenServer()
        let (greedy, modest) = (try driven.connect(), try driven.connect())
        let lines = (0..<100).map { #"{"op":"hello","id":\#($0)}"# + "\n" + "not JSON\n" }
        try greedy.send(lines.joined())
        driven.turn()
        var replies = greedy.received()
        #expect(replies.count == 32)
        try modest.send(Self.hello)
        driven.turn()
        #expect(modest.received().count == 1, "the other peer is answered at once")
        while replies.count < 200 {
            let more = greedy.received()
            #expect(!more.isEmpty && more.count <= 32)
            replies += more
            driven.turn()
        }
        #expect(replies.count == 200)
        #expect(replies.last { $0.contains("tokencached") }?.contains("\"id\":99") == true, "replies come in order")
        try greedy.send(Self.hello)
        driven.turn()
        #expect(greedy.received().count == 1, "a later request is answered at once")
    }

    @Test("A round ends when its work is done, and connections that it didn't serve are the first in the next.")
    func fullRound() throws {
        let driven = try DrivenServer()
        let peers = try (0..<3).map { _ in try driven.connect() }
        let subjects = (0..<300).map { "\"u\($0)\"" }.joined(separator: ",")
        let prefetch = #"{"op":"prefetch","subjects":[\#(subjects)]}"# + "\n"
        for peer in peers { try peer.send(prefetch + prefetch) }
        driven.turn()
        let first = driven.handler.waiters.map(\.connection)
        #expect(first.sorted() == [1, 2, 3])
        for round in 1...3 {
            driven.turn()
            #expect(driven.handler.waiters.map(\.connection) == first + first.prefix(round))
        }
    }

    @Test("A prefetch costs as much work as it has users.")
    func prefetchWork() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        let subjects = (0..<40).map { "\"u\($0)\"" }.joined(separator: ",")
        let prefetch = #"{"op":"prefetch","subjects":[\#(subjects)]}"# + "\n"
        try peer.send(prefetch + prefetch + Self.hello)
        driven.turn()
        #expect(driven.handler.waiters.count == 1)
        driven.turn()
        #expect(driven.handler.waiters.count == 2)
    }

    @Test("A drain serves requests in its grace period, then closes idle connections, and all others at its deadline.")
    func drain() throws {
        let driven = try DrivenServer()
        let (idle, busy, stuck) = (try driven.connect(), try driven.connect(), try driven.connect())
        try busy.send(Self.token)
        driven.turn()
        var ends = 0
        driven.server.drain(within: .seconds(10)) { ends += 1 }
        driven.advance(by: SocketServer.grace - .milliseconds(1))
        try idle.send(Self.hello)
        driven.turn()
        #expect(idle.received().first?.contains("tokencached") == true)
        #expect(idle.isActive)
        try stuck.send(Self.token)
        driven.turn()
        driven.advance(by: .milliseconds(1))
        #expect(!idle.isActive)
        try busy.send(#"{"op":"hello","id":2}"# + "\n")
        driven.turn()
        #expect(busy.received().first?.contains("shutting_down") == true)
        driven.server.deliver(.evicted, to: driven.handler.waiters[0])
        driven.settle()
        #expect(busy.received() == [#"{"evicted":true}"#])
        #expect(!busy.isActive)
        #expect(stuck.isActive)
        #expect(ends == 0)
        driven.advance(by: .seconds(10))
        #expect(stuck.received().first?.contains("shutting_down") == true, "a request that still waits gets an error")
        #expect(!stuck.isActive)
        #expect(ends == 1)
        driven.server.drain(within: .seconds(1)) { ends += 1 }
        #expect(ends == 2)
    }
}
