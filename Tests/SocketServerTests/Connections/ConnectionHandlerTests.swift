import NIOCore
import NIOEmbedded
import OperatorReplies
import SocketServer
import Testing
import TokenProtocol

/// A fake socket that counts its calls.
///
/// While it is shut it sends nothing.
private final class SocketProbe: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private(set) var reads = 0
    private(set) var writes = 0
    private(set) var flushes = 0
    var isShut = false
    var isBroken = false

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        writes += 1
        guard !isBroken else { return context.close(promise: promise) }
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        flushes += 1
        if !isShut { context.flush() }
    }
}

/// A server with connections in memory, on an event loop whose time the test advances.
private struct InMemoryServer {
    let loop = EmbeddedEventLoop()
    let handler = RecordingHandler()
    let server: SocketServer

    init(maxConnections: Int = 10, scheduleNextRound: (() -> Void)? = nil) {
        server = SocketServer(
            on: loop,
            maxConnections: maxConnections,
            requestHandler: handler,
            scheduleNextRound: scheduleNextRound
        )
    }

    func connect() throws -> (channel: EmbeddedChannel, socket: SocketProbe) {
        let channel = EmbeddedChannel(loop: loop)
        let socket = SocketProbe()
        try channel.pipeline.syncOperations.addHandler(socket)
        try server.accept(channel, kind: .requests)
        channel.connect(to: try SocketAddress(unixDomainSocketPath: "/x"), promise: nil)
        return (channel, socket)
    }

    func answerAll() {
        for waiter in handler.waiters { server.deliver(.evicted, to: waiter) }
        loop.run()
    }
}

extension EmbeddedChannel {
    fileprivate func send(_ text: String) throws {
        try writeInbound(ByteBuffer(string: text))
        embeddedEventLoop.run()
    }

    fileprivate func sent() throws -> [String] {
        var text = ""
        while let buffer = try readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text.split(separator: "\n").map(String.init)
    }

    fileprivate func endInput() { pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }

    fileprivate func setWritable(_ isWritable: Bool) {
        self.isWritable = isWritable
        pipeline.fireChannelWritabilityChanged()
    }
}

@Suite("A connection in memory")
struct ConnectionHandlerTests {
    private static let token = #"{"op":"token","subject":"ann"}"# + "\n"
    private static let hello = #"{"op":"hello"}"# + "\n"

    @Test("Requests that were read together are answered with one write.")
    func oneWrite() throws {
        let memory = InMemoryServer()
        let (channel, socket) = try memory.connect()
        // A reply has about a kilobyte. With four or more, a peer that is served alone gets them in pieces.
        try channel.send(String(repeating: Self.hello, count: 3))
        #expect(try channel.sent().count == 3)
        #expect(socket.writes == 1)
        #expect(socket.flushes == 1)
        #expect(memory.handler.batches == 1)
    }

    @Test("A connection with 1,024 waiting requests isn't read until one of them is answered.")
    func full() throws {
        let memory = InMemoryServer()
        let (channel, socket) = try memory.connect()
        try channel.send(String(repeating: Self.token, count: 1_025))
        #expect(memory.handler.waiters.count == 1_024)
        channel.read()
        #expect(socket.reads == 0)
        memory.server.deliver(.evicted, to: memory.handler.waiters[0])
        #expect(memory.handler.waiters.count == 1_024, "the rest is processed later, not within the delivery")
        memory.loop.run()
        #expect(memory.handler.waiters.count == 1_025)
        #expect(socket.reads == 0, "it is full again")
        memory.server.deliver(.evicted, to: memory.handler.waiters[1])
        memory.loop.run()
        #expect(socket.reads == 1)
    }

    @Test("While the socket accepts no more bytes, requests are kept, and answered afterwards.")
    func unwritable() throws {
        let memory = InMemoryServer()
        let (channel, socket) = try memory.connect()
        channel.setWritable(false)
        try channel.send(Self.hello)
        channel.read()
        #expect(memory.handler.kinds.isEmpty)
        #expect(socket.reads == 0)
        channel.setWritable(true)
        memory.loop.run()
        #expect(try channel.sent().count == 1)
        #expect(socket.reads == 1)
    }

    @Test("After a half-close all requests are answered, including held ones, then the connection is closed.")
    func halfClose() throws {
        let memory = InMemoryServer()
        let (channel, _) = try memory.connect()
        channel.setWritable(false)
        try channel.send(Self.token + Self.hello + "unfinished")
        channel.endInput()
        #expect(channel.isActive)
        channel.setWritable(true)
        memory.loop.run()
        #expect(channel.isActive)
        memory.answerAll()
        let sent = try channel.sent()
        #expect(sent.count == 3)
        #expect(sent.first == #"{"evicted":true}"#)
        #expect(sent.last?.contains("invalid_request") == true)
        memory.loop.run()
        #expect(!channel.isActive)
        #expect(memory.server.counts.open == 0)
    }

    @Test("A peer that reads nothing for 30 s is closed, and its waiting requests are cancelled.")
    func stalled() throws {
        let memory = InMemoryServer()
        let (channel, socket) = try memory.connect()
        socket.isShut = true
        try channel.send(Self.token + #"{"op":"hello","id":1}"# + "\n")
        memory.loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        memory.loop.advanceTime(by: .seconds(6))
        #expect(!channel.isActive)
        #expect(memory.handler.cancelled == memory.handler.waiters)
        #expect(memory.handler.cancelled.count == 1)
        #expect(memory.handler.outcomes == [.init(.token, .cancelled)])
    }

    @Test("A peer that reads something now and then is not closed, nor is one to which nothing was sent.")
    func slow() throws {
        let memory = InMemoryServer()
        let (channel, socket) = try memory.connect()
        let (idle, _) = try memory.connect()
        socket.isShut = true
        for _ in 0..<20 {
            try channel.send(Self.hello)
            memory.loop.advanceTime(by: .seconds(20))
            channel.flush()
            socket.isShut = false
            channel.flush()
            socket.isShut = true
            #expect(channel.isActive)
        }
        #expect(idle.isActive)
    }

    @Test("A connection that closes in the middle of a batch leaves no request waiting.")
    func goneInBatch() throws {
        let memory = InMemoryServer()
        let (channel, socket) = try memory.connect()
        socket.isBroken = true
        // A reply has over a kilobyte, so output is sent long before the last line is processed.
        try? channel.send(Self.token + String(repeating: #"{"op":"hello","id":1}"# + "\n", count: 200) + Self.token)
        #expect(!channel.isActive)
        #expect(memory.handler.waiters.count == 1)
        #expect(memory.handler.cancelled == memory.handler.waiters)
        #expect(memory.handler.outcomes == [.init(.token, .cancelled)])
    }

    @Test("A connection above the limit is rejected, and accepted once another one was closed.")
    func maxConnections() throws {
        let memory = InMemoryServer(maxConnections: 1)
        let (first, _) = try memory.connect()
        let (second, _) = try memory.connect()
        memory.loop.run()
        #expect(
            try second.sent() == [
                #"{"error":"overloaded","error_description":"too many connections are open","retry_after":1}"#
            ]
        )
        #expect(!second.isActive)
        first.close(promise: nil)
        let (third, _) = try memory.connect()
        #expect(third.isActive)
        #expect(memory.server.counts.accepted == 2)
        #expect(memory.server.counts.rejected == 1)
    }

    @Test("A peer that sends thousands of lines at once is answered in slices, and others in between.")
    func slices() throws {
        var rounds = 0
        let memory = InMemoryServer(scheduleNextRound: { rounds += 1 })
        let (greedy, _) = try memory.connect()
        let (modest, _) = try memory.connect()
        let lines = (0..<100).map { #"{"op":"hello","id":\#($0)}"# + "\n" + "not JSON\n" }
        try greedy.send(lines.joined())
        var answered = try greedy.sent().count
        #expect(answered == 32)
        try modest.send(Self.hello)
        #expect(try modest.sent().count == 1, "the other peer is answered at once")
        #expect(rounds == 1)
        var texts: [String] = []
        while answered < 200 {
            memory.server.nextRound()
            memory.loop.run()
            let more = try greedy.sent()
            #expect(!more.isEmpty && more.count <= 32)
            texts += more
            answered += more.count
        }
        #expect(answered == 200)
        #expect(texts.last { $0.contains("tokencached") }?.contains("\"id\":99") == true, "replies come in order")
        try greedy.send(Self.hello)
        #expect(try greedy.sent().count == 1, "a later request is answered at once")
    }

    @Test("A round ends when its work is done, and connections that it didn't serve are the first in the next.")
    func fullRound() throws {
        var rounds = 0
        let memory = InMemoryServer(scheduleNextRound: { rounds += 1 })
        let channels = try (0..<3).map { _ in try memory.connect().channel }
        let subjects = (0..<300).map { "\"u\($0)\"" }.joined(separator: ",")
        let prefetch = #"{"op":"prefetch","subjects":[\#(subjects)]}"# + "\n"
        for channel in channels { try channel.send(prefetch + prefetch) }
        #expect(memory.handler.waiters.map(\.connection) == [1, 2, 3])
        for round in 1...3 {
            memory.server.nextRound()
            #expect(rounds >= round)
            #expect(memory.handler.waiters.map(\.connection) == [1, 2, 3] + (1...round).map { UInt64($0) })
        }
    }

    @Test("A prefetch costs as much work as it has users.")
    func prefetchWork() throws {
        let memory = InMemoryServer(scheduleNextRound: {})
        let (channel, _) = try memory.connect()
        let subjects = (0..<40).map { "\"u\($0)\"" }.joined(separator: ",")
        let prefetch = #"{"op":"prefetch","subjects":[\#(subjects)]}"# + "\n"
        try channel.send(prefetch + prefetch + Self.hello)
        #expect(memory.handler.waiters.count == 1)
        memory.server.nextRound()
        #expect(memory.handler.waiters.count == 2)
    }

    @Test("A drain serves requests in its grace period, then closes idle connections, and all others at its deadline.")
    func drain() throws {
        let memory = InMemoryServer()
        let (idle, _) = try memory.connect()
        let (busy, _) = try memory.connect()
        let (stuck, _) = try memory.connect()
        try busy.send(Self.token)
        let drained = memory.server.drain(within: .seconds(10))
        memory.loop.advanceTime(by: SocketServer.grace - .milliseconds(1))
        try idle.send(Self.hello)
        #expect(try idle.sent().first?.contains("tokencached") == true)
        #expect(idle.isActive)
        try stuck.send(Self.token)
        memory.loop.advanceTime(by: .milliseconds(1))
        #expect(!idle.isActive)
        try busy.send(#"{"op":"hello","id":2}"# + "\n")
        #expect(try busy.sent().first?.contains("shutting_down") == true)
        memory.server.deliver(.evicted, to: memory.handler.waiters[0])
        memory.loop.run()
        #expect(try busy.sent() == [#"{"evicted":true}"#])
        #expect(!busy.isActive)
        #expect(stuck.isActive)
        memory.loop.advanceTime(by: .seconds(10))
        #expect(try stuck.sent().first?.contains("shutting_down") == true, "a request that still waits gets an error")
        #expect(!stuck.isActive)
        #expect(throws: Never.self) { try drained.wait() }
        #expect(throws: Never.self) { try memory.server.drain(within: .seconds(1)).wait() }
    }
}
