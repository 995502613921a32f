import Glibc
import SocketServer
import Testing
import TokenProtocol

@Suite("A connection's reads")
struct ConnectionReadTests {
    private static let hello = #"{"op":"hello"}"# + "\n"

    @Test("What a peer sends after a descriptor is read, and the descriptor is closed.")
    func descriptors() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        var ends: [CInt] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { close(ends[0]) }
        for round in 1...3 {
            try peer.send(Self.hello, passing: ends[1])
            if round == 3 { close(ends[1]) }
            try peer.send(Self.hello + Self.hello)
            driven.settle()
            driven.advance(by: .milliseconds(100))
            driven.advance(by: .milliseconds(100))
            #expect(peer.received().count == 3)
        }
        var byte: UInt8 = 0
        // The pipe ends only when nobody has its other end any more.
        #expect(unsafe read(ends[0], &byte, 1) == 0)
    }

    @Test("After the first time, a peer that passes descriptors is not kept waiting.")
    func descriptorsAgain() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(Self.hello, passing: 0)
        try peer.send(Self.hello)
        driven.settle()
        driven.advance(by: .milliseconds(100))
        driven.advance(by: .milliseconds(100))
        #expect(peer.received().count == 2)
        try peer.send(Self.hello, passing: 0)
        try peer.send(Self.hello)
        driven.settle()
        #expect(peer.received().count == 2)
    }

    @Test("What a peer sends after urgent data is read.")
    func urgentData() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(Self.hello)
        try peer.sendUrgent("!")
        try peer.send(Self.hello)
        driven.settle()
        driven.advance(by: .milliseconds(100))
        driven.advance(by: .milliseconds(100))
        #expect(peer.received().count == 2)
    }

    @Test("A quiet connection is checked once, and then no timer is set.")
    func quiet() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        try peer.send(Self.hello)
        driven.settle()
        #expect(driven.faults.reads == 1)
        driven.advance(by: .seconds(5))
        #expect(driven.faults.reads == 2)
    }

    @Test("A connection that is busy is not checked.")
    func busy() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        for _ in 0..<50 {
            try peer.send(Self.hello)
            driven.turn()
            driven.advance(by: .milliseconds(40))
        }
        #expect(driven.faults.reads == 50)
    }

    @Test("Hits in another form, and empty lines, use up a slice, too.")
    func work() throws {
        let driven = try DrivenServer()
        let peer = try driven.connect()
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let hit = #"{"op":"token","subject":"h","traceparent":"\#(trace)"}"# + "\n"
        try peer.send(String(repeating: hit, count: 100))
        driven.turn()
        #expect(driven.handler.hits == 32)
        driven.settle()
        #expect(driven.handler.hits == 100)
        try peer.send(String(repeating: "\n", count: 40_000) + Self.hello)
        driven.turn()
        #expect(driven.handler.kinds.isEmpty)
        driven.turn()
        #expect(driven.handler.kinds.count == 1)
    }
}
