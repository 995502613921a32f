import Foundation
import NIOCore
import NIOPosix
import SocketServer
import TestSupport
import Testing
import TokenProtocol

/// A server with a recording handler, on an event loop of its own and a socket in a temporary folder.
private final class Fixture: Sendable {
    let loop: any EventLoop
    let handler: NIOLoopBound<RecordingHandler>
    let server: NIOLoopBound<SocketServer>
    let folder: TemporaryDirectory
    var path: String { folder.path("s") }
    var adminPath: String { folder.path("a") }

    init(maxConnections: Int = 10, mostBacklog: Int? = nil) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        folder = try TemporaryDirectory()
        (handler, server) = try await loop.submit {
            let handler = RecordingHandler()
            let server = SocketServer(
                on: loop,
                maxConnections: maxConnections,
                mostBacklog: mostBacklog,
                requestHandler: handler
            )
            return (NIOLoopBound(handler, eventLoop: loop), NIOLoopBound(server, eventLoop: loop))
        }.get()
        let requests = try ListeningSocket.bind(.init(path: folder.path("s"), mode: 0o600))
        let admin = try ListeningSocket.bind(.init(path: folder.path("a"), mode: 0o600))
        try await loop.flatSubmit { [server] in server.value.listen(on: requests.descriptor, kind: .requests) }.get()
        try await loop.flatSubmit { [server] in server.value.listen(on: admin.descriptor, kind: .admin) }.get()
    }

    func onLoop<Result: Sendable>(
        _ body: @escaping @Sendable (RecordingHandler, SocketServer) -> Result
    ) async throws -> Result {
        try await loop.submit { [handler, server] in body(handler.value, server.value) }.get()
    }

    func drain() async throws { try await beginDrain().get() }

    func beginDrain() -> EventLoopFuture<Void> {
        loop.flatSubmit { [server] in server.value.drain(within: .seconds(10)) }
    }
}

@Suite("The server")
struct ServerTests {
    private static let token = #"{"op":"token","subject":"ann"}"#

    @Test("Requests on both sockets are answered, and what isn't one is refused on the same connection.")
    func answers() async throws {
        let fixture = try await Fixture()
        let client = try LineClient(fixture.path)
        #expect(try client.ask(#"{"op":"hello","id":1}"#)["id"] as? Int == 1)
        #expect(try client.ask("rubbish")["error"] as? String == "invalid_request")
        #expect(try client.ask(#"{"op":"flush"}"#)["error"] as? String == "unsupported_op")
        #expect(try client.ask(#"{"op":"hello"}"#)["server"] as? String == "tokencached")
        #expect(try LineClient(fixture.adminPath).ask(#"{"op":"flush"}"#)["flushed"] as? Int == 3)
        #expect(try await fixture.onLoop { handler, _ in handler.codes } == [.invalidRequest, .unsupportedOperation])
        #expect(try await fixture.onLoop { handler, _ in handler.kinds.last } == .admin)
        try await fixture.drain()
    }

    @Test("A thousand requests sent at once are answered in their order.")
    func pipelining() async throws {
        let fixture = try await Fixture()
        let client = try LineClient(fixture.adminPath)
        try client.send(Array(String(repeating: #"{"op":"flush"}"# + "\n", count: 1_000).utf8))
        for number in 1...1_000 { #expect(try client.reply()["flushed"] as? Int == number) }
        try await fixture.drain()
    }

    @Test("A peer that sends without reading is stopped, loses nothing, and others are served meanwhile.")
    func unreadReplies() async throws {
        let fixture = try await Fixture()
        let client = try LineClient(fixture.path)
        // Each reply has over a kilobyte: these are more than the socket and the server together will hold.
        let count = 20_000
        let hello = Array((0..<count).map { #"{"op":"hello","id":\#($0)}"# + "\n" }.joined().utf8)
        // A thread of its own: sending blocks until the replies are read.
        Thread.detachNewThread { try? client.send(hello) }
        #expect(try LineClient(fixture.path).ask(#"{"op":"hello"}"#)["server"] != nil)
        for number in 0..<count { #expect(try client.reply()["id"] as? Int == number) }
        try await fixture.drain()
    }

    @Test("What peers that don't read have the server hold is bounded over all of them, and none of it is lost.")
    func backlog() async throws {
        let bound = 256 * 1_024
        let fixture = try await Fixture(mostBacklog: bound)
        let (peers, count) = (6, 1_000)
        let clients = try (0..<peers).map { _ in try LineClient(fixture.path) }
        let hello = Array((0..<count).map { #"{"op":"hello","id":\#($0)}"# + "\n" }.joined().utf8)
        for client in clients { Thread.detachNewThread { try? client.send(hello) } }
        // Until nothing moves any more: all have sent what the server takes of them.
        var (largest, last, same) = (0, -1, 0)
        while same < 20 || largest < bound {
            let unsent = try await fixture.onLoop { _, server in
                var stats = StatsReply()
                server.fill(&stats)
                return stats.connections.unsent
            }
            largest = max(largest, unsent)
            same = unsent == last ? same + 1 : 0
            last = unsent
        }
        // Each may go over the bound by what it gathers before it sends.
        #expect(largest <= bound + peers * 80 * 1_024)
        #expect(try LineClient(fixture.path).ask(#"{"op":"hello"}"#)["server"] != nil, "others are served")
        for client in clients {
            for number in 0..<count {
                let line = try #require(try client.line())
                #expect(line.contains("\"id\":\(number),") || line.hasSuffix("\"id\":\(number)}"), "\(line.suffix(40))")
            }
        }
        let left = try await fixture.onLoop { _, server in
            var stats = StatsReply()
            server.fill(&stats)
            return stats.connections.unsent
        }
        #expect(left == 0)
        try await fixture.drain()
    }

    @Test("Where all connections are taken the admin socket has some of its own; the longest unused gives way.")
    func adminPlaces() async throws {
        let fixture = try await Fixture(maxConnections: 2)
        let apps = try (0..<2).map { _ in try LineClient(fixture.path) }
        for app in apps { _ = try app.ask(#"{"op":"hello"}"#) }
        let admins = try (0..<SocketServer.adminPlaces + 1).map { _ in
            let admin = try LineClient(fixture.adminPath)
            #expect(try admin.ask(#"{"op":"flush"}"#)["flushed"] != nil)
            return admin
        }
        #expect(try admins[0].reply()["error"] as? String == "overloaded")
        for admin in admins.dropFirst() { #expect(try admin.ask(#"{"op":"flush"}"#)["flushed"] != nil) }
        #expect(try LineClient(fixture.path).reply()["error"] as? String == "overloaded", "an app gets none of them")
        try await fixture.drain()
    }

    @Test("One connection more than allowed is told so and closed; when one goes there is room again.")
    func maxConnections() async throws {
        let fixture = try await Fixture(maxConnections: 1)
        var first: LineClient? = try LineClient(fixture.path)
        _ = try first?.ask(#"{"op":"hello"}"#)
        let second = try LineClient(fixture.path)
        let refusal = try second.reply()
        #expect(refusal["error"] as? String == "overloaded")
        #expect(refusal["retry_after"] as? Int == 1)
        #expect(try second.line() == nil)
        first = nil
        // The server sees the end of the first when its loop comes to it: asked again until then, each time anew.
        var reply: [String: Any] = [:]
        for _ in 0..<10_000 where reply["server"] == nil {
            let next = try LineClient(fixture.path)
            try? next.send(#"{"op":"hello"}"#)
            reply = (try? next.reply()) ?? [:]
        }
        #expect(reply["server"] != nil)
        try await fixture.drain()
    }

    @Test("A half-closed connection gets the replies that it waits for, then it is closed.")
    func halfClose() async throws {
        let fixture = try await Fixture()
        let client = try LineClient(fixture.path)
        try client.send(#"{"op":"hello"}"#)
        try client.send(Self.token)
        client.endSending()
        #expect(try client.reply()["server"] != nil)
        try await fixture.onLoop { handler, server in
            for waiter in handler.waiters { server.deliver(.evicted, to: waiter) }
        }
        #expect(try client.reply()["evicted"] as? Bool == true)
        #expect(try client.line() == nil)
        try await fixture.drain()
    }

    @Test("When a connection goes, those who waited on it are given up.")
    func leaving() async throws {
        let fixture = try await Fixture()
        var client: LineClient? = try LineClient(fixture.path)
        try client?.send(Self.token)
        _ = try client?.ask(#"{"op":"hello","id":1}"#)
        client = nil
        try await fixture.drain()
        let (left, waiters) = try await fixture.onLoop { handler, _ in (handler.left, handler.waiters) }
        #expect(left == waiters)
        #expect(left.count == 1)
    }

    @Test("A drain closes idle connections, answers what is under way, and refuses what comes after.")
    func drain() async throws {
        let fixture = try await Fixture()
        let (idle, busy) = (try LineClient(fixture.path), try LineClient(fixture.path))
        _ = try idle.ask(#"{"op":"hello"}"#)
        try busy.send(#"{"op":"token","subject":"ann","id":"t"}"#)
        _ = try busy.ask(#"{"op":"hello","id":1}"#)
        let drained = fixture.beginDrain()
        #expect(try idle.line() == nil)
        #expect(try busy.ask(#"{"op":"hello","id":2}"#)["error"] as? String == "shutting_down")
        try await fixture.onLoop { handler, server in
            for waiter in handler.waiters { server.deliver(.evicted, to: waiter) }
        }
        #expect(try busy.reply()["id"] as? String == "t")
        #expect(try busy.line() == nil)
        try await drained.get()
        #expect(throws: (any Error).self) { try LineClient(fixture.path) }
    }
}
