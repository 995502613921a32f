import Foundation
import OperatorReplies
import Reactor
import SocketServer
import TestSupport
import Testing
import TokenProtocol

/// A server with a recording handler, on a reactor with a thread of its own and sockets in a temporary directory.
private actor Fixture {
    private nonisolated let reactor: Reactor
    private let handler = RecordingHandler()
    private let server: SocketServer
    private nonisolated let directory: TemporaryDirectory

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe reactor.asUnownedSerialExecutor() }
    nonisolated var path: String { directory.path("s") }
    nonisolated var adminPath: String { directory.path("a") }

    init(maxConnections: Int = 10, maxUnsent: Int? = nil) async throws {
        reactor = try Reactor.start(named: "test")
        directory = try TemporaryDirectory()
        server = SocketServer(
            on: reactor,
            maxConnections: maxConnections,
            maxUnsent: maxUnsent,
            requestHandler: handler
        )
        try listen()
    }

    deinit { reactor.stop() }

    private func listen() throws {
        server.start()
        let requests = try ListeningSocket.bind(.init(path: path, mode: 0o600))
        let admin = try ListeningSocket.bind(.init(path: adminPath, mode: 0o600))
        try server.listen(on: requests.descriptor, kind: .requests)
        try server.listen(on: admin.descriptor, kind: .admin)
    }

    func onLoop<Result: Sendable>(_ body: @Sendable (RecordingHandler, SocketServer) -> Result) -> Result {
        body(handler, server)
    }

    func drain() async {
        await withCheckedContinuation { done in server.drain(within: .seconds(10)) { done.resume() } }
    }
}

@Suite("The server")
struct ServerTests {
    private static let token = #"{"op":"token","subject":"ann"}"#

    @Test("Requests on both sockets are answered, and other lines get an error on the same connection.")
    func answers() async throws {
        let fixture = try await Fixture()
        let client = try LineClient(fixture.path)
        #expect(try client.ask(#"{"op":"hello","id":1}"#)["id"] as? Int == 1)
        #expect(try client.ask("not JSON")["error"] as? String == "invalid_request")
        #expect(try client.ask(#"{"op":"flush"}"#)["error"] as? String == "unsupported_op")
        #expect(try client.ask(#"{"op":"hello"}"#)["server"] as? String == "tokencached")
        #expect(try LineClient(fixture.adminPath).ask(#"{"op":"flush"}"#)["flushed"] as? Int == 3)
        let rejections = await fixture.onLoop { handler, _ in handler.rejections }
        #expect(rejections == [.init(nil, .error(.invalidRequest)), .init(nil, .error(.unsupportedOperation))])
        #expect(await fixture.onLoop { handler, _ in handler.kinds.last } == .admin)
        await fixture.drain()
    }

    @Test("A thousand requests that are sent at once are answered in order.")
    func pipelining() async throws {
        let fixture = try await Fixture()
        let client = try LineClient(fixture.adminPath)
        try client.send(Array(String(repeating: #"{"op":"flush"}"# + "\n", count: 1_000).utf8))
        for number in 1...1_000 { #expect(try client.reply()["flushed"] as? Int == number) }
        await fixture.drain()
    }

    @Test("A peer that sends without reading is stopped and loses nothing, while others are served.")
    func unreadReplies() async throws {
        let fixture = try await Fixture()
        let client = try LineClient(fixture.path)
        // Each reply has over a kilobyte, so these are more than the socket and the server together hold.
        let count = 20_000
        let hello = Array((0..<count).map { #"{"op":"hello","id":\#($0)}"# + "\n" }.joined().utf8)
        // Sending blocks until the replies are read, so it needs a thread of its own.
        Thread.detachNewThread { try? client.send(hello) }
        #expect(try LineClient(fixture.path).ask(#"{"op":"hello"}"#)["server"] != nil)
        for number in 0..<count { #expect(try client.reply()["id"] as? Int == number) }
        await fixture.drain()
    }

    @Test("The unsent replies of all peers together are limited, and none of them is lost.")
    func unsentReplies() async throws {
        let bound = 256 * 1_024
        let fixture = try await Fixture(maxUnsent: bound)
        let (peers, count) = (6, 1_000)
        let clients = try (0..<peers).map { _ in try LineClient(fixture.path) }
        let hello = Array((0..<count).map { #"{"op":"hello","id":\#($0)}"# + "\n" }.joined().utf8)
        for client in clients { Thread.detachNewThread { try? client.send(hello) } }
        // Wait until the number no longer changes, as the server has read all that it accepts from the peers.
        var (largest, last, same) = (0, -1, 0)
        while same < 20 || largest < bound {
            let unsent = await fixture.onLoop { _, server in
                var stats = StatsReply()
                server.fill(&stats)
                return stats.connections.unsent
            }
            largest = max(largest, unsent)
            same = unsent == last ? same + 1 : 0
            last = unsent
        }
        // Each connection may exceed the limit by the output that it gathers before it sends.
        #expect(largest <= bound + peers * 80 * 1_024)
        #expect(try LineClient(fixture.path).ask(#"{"op":"hello"}"#)["server"] != nil, "others are served")
        for client in clients {
            for number in 0..<count {
                let line = try #require(try client.line())
                #expect(line.contains("\"id\":\(number),") || line.hasSuffix("\"id\":\(number)}"), "\(line.suffix(40))")
            }
        }
        let left = await fixture.onLoop { _, server in
            var stats = StatsReply()
            server.fill(&stats)
            return stats.connections.unsent
        }
        #expect(left == 0)
        await fixture.drain()
    }

    @Test(
        "If all connections are taken, the admin socket has reserved ones, of which the longest unused is closed."
    )
    func reservedAdminConnections() async throws {
        let fixture = try await Fixture(maxConnections: 2)
        let apps = try (0..<2).map { _ in try LineClient(fixture.path) }
        for app in apps { _ = try app.ask(#"{"op":"hello"}"#) }
        let admins = try (0..<SocketServer.reservedAdminConnections + 1).map { _ in
            let admin = try LineClient(fixture.adminPath)
            #expect(try admin.ask(#"{"op":"flush"}"#)["flushed"] != nil)
            return admin
        }
        #expect(try admins[0].reply()["error"] as? String == "overloaded")
        for admin in admins.dropFirst() { #expect(try admin.ask(#"{"op":"flush"}"#)["flushed"] != nil) }
        #expect(try LineClient(fixture.path).reply()["error"] as? String == "overloaded", "apps can't use them")
        await fixture.drain()
    }

    @Test("A connection above the limit is rejected, and accepted once another one was closed.")
    func maxConnections() async throws {
        let fixture = try await Fixture(maxConnections: 1)
        var first: LineClient? = try LineClient(fixture.path)
        _ = try first?.ask(#"{"op":"hello"}"#)
        let second = try LineClient(fixture.path)
        let rejection = try second.reply()
        #expect(rejection["error"] as? String == "overloaded")
        #expect(rejection["retry_after"] as? Int == 1)
        #expect(try second.line() == nil)
        first = nil
        // The server notices the end of the first connection in a later round of its loop, so this connects until then.
        var reply: [String: Any] = [:]
        for _ in 0..<10_000 where reply["server"] == nil {
            let next = try LineClient(fixture.path)
            try? next.send(#"{"op":"hello"}"#)
            reply = (try? next.reply()) ?? [:]
        }
        #expect(reply["server"] != nil)
        await fixture.drain()
    }

    @Test("A half-closed connection gets its replies, then it is closed.")
    func halfClose() async throws {
        let fixture = try await Fixture()
        let client = try LineClient(fixture.path)
        try client.send(#"{"op":"hello"}"#)
        try client.send(Self.token)
        client.endSending()
        #expect(try client.reply()["server"] != nil)
        await fixture.onLoop { handler, server in
            for waiter in handler.waiters { server.deliver(.evicted, to: waiter) }
        }
        #expect(try client.reply()["evicted"] as? Bool == true)
        #expect(try client.line() == nil)
        await fixture.drain()
    }

    @Test("When a connection closes, its waiting requests are cancelled.")
    func cancellation() async throws {
        let fixture = try await Fixture()
        var client: LineClient? = try LineClient(fixture.path)
        try client?.send(Self.token)
        _ = try client?.ask(#"{"op":"hello","id":1}"#)
        client = nil
        await fixture.drain()
        let (cancelled, waiters) = await fixture.onLoop { handler, _ in (handler.cancelled, handler.waiters) }
        #expect(cancelled == waiters)
        #expect(cancelled.count == 1)
    }

    @Test("A drain closes idle connections, answers waiting requests, and rejects new ones.")
    func drain() async throws {
        let fixture = try await Fixture()
        let (idle, busy) = (try LineClient(fixture.path), try LineClient(fixture.path))
        _ = try idle.ask(#"{"op":"hello"}"#)
        try busy.send(#"{"op":"token","subject":"ann","id":"t"}"#)
        _ = try busy.ask(#"{"op":"hello","id":1}"#)
        async let drained: Void = fixture.drain()
        #expect(try idle.line() == nil)
        #expect(try busy.ask(#"{"op":"hello","id":2}"#)["error"] as? String == "shutting_down")
        await fixture.onLoop { handler, server in
            for waiter in handler.waiters { server.deliver(.evicted, to: waiter) }
        }
        #expect(try busy.reply()["id"] as? String == "t")
        #expect(try busy.line() == nil)
        await drained
        #expect(throws: (any Error).self) { try LineClient(fixture.path) }
    }
}
