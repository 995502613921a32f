import Foundation
import Glibc
import OperatorReplies
import SocketServer
import TestSupport
import Testing
import TokenProtocol

@Suite("Listening")
struct ListenerTests {
    /// Connects without waiting, or returns a negative number if the queue is full.
    private func connectAtOnce(_ path: String) -> CInt { (try? UnixConnection.open(path)) ?? -1 }

    private func bind(_ directory: TemporaryDirectory) throws -> ListeningSocket {
        try ListeningSocket.bind(.init(path: directory.path("s"), mode: 0o600))
    }

    @Test("While the reactor is busy, hundreds of peers can queue, and each of them is served.")
    func backlog() throws {
        let directory = try TemporaryDirectory()
        let driven = try DrivenServer(maxConnections: 1_000)
        let socket = try bind(directory)
        try driven.server.listen(on: socket.descriptor, kind: .requests)
        let descriptors = (0..<300).map { _ in connectAtOnce(socket.path) }
        #expect(descriptors.allSatisfy { $0 >= 0 })
        for _ in 0..<30 { driven.turn() }
        #expect(driven.server.counts.open == 300)
        for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
        driven.settle()
        #expect(driven.server.counts.open == 0)
        withExtendedLifetime(directory) {}
    }

    @Test(
        "When descriptors or memory are short, accepting pauses for a moment, and the peer that waits is served then.",
        arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM]
    )
    func shortage(error: CInt) throws {
        let directory = try TemporaryDirectory()
        let driven = try DrivenServer()
        let socket = try bind(directory)
        try driven.server.listen(on: socket.descriptor, kind: .requests)
        driven.faults.failAccepts(with: error)
        let peer = connectAtOnce(socket.path)
        for _ in 0..<10 { driven.turn() }
        #expect(driven.faults.accepts == 1, "it doesn't try again in each turn")
        #expect(driven.server.connectionFaults.failedAccepts == 1)
        #expect(driven.server.connectionFaults.lastReason != nil)
        driven.advance(by: .milliseconds(100))
        driven.turn()
        #expect(driven.faults.accepts == 2)
        driven.faults.failAccepts(with: 0)
        driven.advance(by: .milliseconds(100))
        driven.turn()
        #expect(driven.server.counts.open == 1)
        close(peer)
        withExtendedLifetime(directory) {}
    }

    @Test("A drain leaves new connections to a handed-over socket in the queue, for the next daemon.")
    func handedOver() throws {
        let directory = try TemporaryDirectory()
        let driven = try DrivenServer()
        let socket = try bind(directory)
        let kept = dup(socket.descriptor)
        defer { close(kept) }
        try driven.server.listen(on: socket.descriptor, kind: .requests, isHandedOver: true)
        // The waiting request keeps the drain from ending at once.
        let busy = try driven.connect()
        try busy.send(#"{"op":"token","subject":"ann"}"# + "\n")
        driven.turn()
        driven.server.drain(within: .milliseconds(200)) {}
        let next = connectAtOnce(socket.path)
        #expect(next >= 0)
        driven.advance(by: .seconds(1))
        #expect(driven.faults.accepts == 0)
        let accepted = accept(kept, nil, nil)
        #expect(accepted >= 0, "the connection is still in the queue")
        for descriptor in [next, accepted] where descriptor >= 0 { close(descriptor) }
        withExtendedLifetime(directory) {}
    }

    @Test("A socket that is bound here is served until the grace period of a drain is over.")
    func boundHere() throws {
        let directory = try TemporaryDirectory()
        let driven = try DrivenServer()
        let socket = try bind(directory)
        try driven.server.listen(on: socket.descriptor, kind: .requests)
        driven.server.drain(within: .seconds(1)) {}
        let peer = connectAtOnce(socket.path)
        driven.turn()
        #expect(driven.server.counts.accepted == 1)
        driven.advance(by: .milliseconds(10))
        #expect(driven.server.counts.open == 0)
        #expect(connectAtOnce(socket.path) < 0, "nobody listens any more")
        close(peer)
        withExtendedLifetime(directory) {}
    }

    @Test("Peers that are in the queue of a socket that was bound here are answered before a drain closes it.")
    func queueAtDrain() throws {
        let directory = try TemporaryDirectory()
        let driven = try DrivenServer(maxConnections: 1_000)
        let socket = try bind(directory)
        try driven.server.listen(on: socket.descriptor, kind: .requests)
        driven.server.drain(within: .seconds(1)) {}
        let peers = try (0..<100).map { _ in try LineClient(socket.path) }
        for peer in peers { try peer.send(#"{"op":"hello"}"#) }
        // The reactor has had no turn for the whole grace period.
        driven.clock.advance(by: SocketServer.grace)
        for _ in 0..<3 { driven.turn() }
        for peer in peers { #expect(try peer.reply()["server"] as? String == "tokencached") }
        #expect(driven.server.counts.open == 0)
        withExtendedLifetime(directory) {}
    }
}
