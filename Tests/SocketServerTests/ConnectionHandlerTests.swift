import NIOCore
import NIOEmbedded
import OperatorReplies
import SocketServer
import Testing
import TokenProtocol

/// Stands for the socket: counts what is asked of it, and takes nothing while it is shut.
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

/// A server on a loop whose time the test moves, and its connections in memory.
private struct Memory {
    let loop = EmbeddedEventLoop()
    let handler = RecordingHandler()
    let server: SocketServer

    init(maxConnections: Int = 10, callNextRound: (() -> Void)? = nil) {
        server = SocketServer(
            on: loop,
            maxConnections: maxConnections,
            requestHandler: handler,
            callNextRound: callNextRound
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

    @Test("What was read together is answered with one write.")
    func oneWrite() throws {
        let memory = Memory()
        let (channel, socket) = try memory.connect()
        // A reply has about a kilobyte; from four on a peer that is served alone gets them in pieces.
        try channel.send(String(repeating: Self.hello, count: 3))
        #expect(try channel.sent().count == 3)
        #expect(socket.writes == 1)
        #expect(socket.flushes == 1)
        #expect(memory.handler.batches == 1)
    }

    @Test("With 1,024 waiting it isn't read; when one was answered it is, and what had come is gone through.")
    func full() throws {
        let memory = Memory()
        let (channel, socket) = try memory.connect()
        try channel.send(String(repeating: Self.token, count: 1_025))
        #expect(memory.handler.waiters.count == 1_024)
        channel.read()
        #expect(socket.reads == 0)
        memory.server.deliver(.evicted, to: memory.handler.waiters[0])
        #expect(memory.handler.waiters.count == 1_024, "not in the middle of whatever delivers")
        memory.loop.run()
        #expect(memory.handler.waiters.count == 1_025)
        #expect(socket.reads == 0, "it is full again")
        memory.server.deliver(.evicted, to: memory.handler.waiters[1])
        memory.loop.run()
        #expect(socket.reads == 1)
    }

    @Test("While the socket takes no more, requests are kept; they are answered when it does.")
    func unwritable() throws {
        let memory = Memory()
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

    @Test("After a half-close the replies still go, also to what there was no room for; then it is closed.")
    func halfClose() throws {
        let memory = Memory()
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

    @Test("A peer that takes nothing for 30 s is closed, and who waited on it is given up.")
    func stalled() throws {
        let memory = Memory()
        let (channel, socket) = try memory.connect()
        socket.isShut = true
        try channel.send(Self.token + #"{"op":"hello","id":1}"# + "\n")
        memory.loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        memory.loop.advanceTime(by: .seconds(6))
        #expect(!channel.isActive)
        #expect(memory.handler.left == memory.handler.waiters)
        #expect(memory.handler.left.count == 1)
    }

    @Test("A peer that takes something now and then isn't, and one to whom nothing was sent isn't either.")
    func slow() throws {
        let memory = Memory()
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

    @Test("A peer that is gone in the middle of a batch leaves nobody waiting behind.")
    func goneInBatch() throws {
        let memory = Memory()
        let (channel, socket) = try memory.connect()
        socket.isBroken = true
        // A reply has over a kilobyte: long before the last line there is enough to be sent.
        try? channel.send(Self.token + String(repeating: #"{"op":"hello","id":1}"# + "\n", count: 200) + Self.token)
        #expect(!channel.isActive)
        #expect(memory.handler.waiters.count == 1)
        #expect(memory.handler.left == memory.handler.waiters)
    }

    @Test("One connection too many is told so and closed; when one goes there is room again.")
    func maxConnections() throws {
        let memory = Memory(maxConnections: 1)
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
        #expect(memory.server.counts.refused == 1)
    }

    @Test("A peer that sends thousands of lines at once has some answered in its turn, and others have theirs between.")
    func turns() throws {
        var rounds = 0
        let memory = Memory(callNextRound: { rounds += 1 })
        let (greedy, _) = try memory.connect()
        let (modest, _) = try memory.connect()
        let lines = (0..<100).map { #"{"op":"hello","id":\#($0)}"# + "\n" + "not JSON\n" }
        try greedy.send(lines.joined())
        var answered = try greedy.sent().count
        #expect(answered == 32)
        try modest.send(Self.hello)
        #expect(try modest.sent().count == 1, "it is answered at once")
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
        #expect(texts.last { $0.contains("tokencached") }?.contains("\"id\":99") == true, "in their order")
        try greedy.send(Self.hello)
        #expect(try greedy.sent().count == 1, "it has turns again")
    }

    @Test("A round ends when its work is done, and who had no turn in it is the first in the next.")
    func fullRound() throws {
        var rounds = 0
        let memory = Memory(callNextRound: { rounds += 1 })
        let channels = try (0..<3).map { _ in try memory.connect().channel }
        let subjects = (0..<300).map { "\"u\($0)\"" }.joined(separator: ",")
        let prefetch = #"{"op":"prefetch","subjects":[\#(subjects)]}"# + "\n"
        for channel in channels { try channel.send(prefetch + prefetch) }
        #expect(memory.handler.waiters.map(\.connection) == [1, 2, 3])
        for turn in 1...3 {
            memory.server.nextRound()
            #expect(rounds >= turn)
            #expect(memory.handler.waiters.map(\.connection) == [1, 2, 3] + (1...turn).map { UInt64($0) })
        }
    }

    @Test("A prefetch costs as many turns as it has users.")
    func prefetchTurns() throws {
        let memory = Memory(callNextRound: {})
        let (channel, _) = try memory.connect()
        let subjects = (0..<40).map { "\"u\($0)\"" }.joined(separator: ",")
        let prefetch = #"{"op":"prefetch","subjects":[\#(subjects)]}"# + "\n"
        try channel.send(prefetch + prefetch + Self.hello)
        #expect(memory.handler.waiters.count == 1)
        memory.server.nextRound()
        #expect(memory.handler.waiters.count == 2)
    }

    @Test("A drain serves what arrives in its grace, then closes who is idle, and at its deadline everyone.")
    func drain() throws {
        let memory = Memory()
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
        #expect(try stuck.sent().first?.contains("shutting_down") == true, "who waits in vain is told so")
        #expect(!stuck.isActive)
        #expect(throws: Never.self) { try drained.wait() }
        #expect(throws: Never.self) { try memory.server.drain(within: .seconds(1)).wait() }
    }
}
