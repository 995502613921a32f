import FleetProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import FleetStore

@Suite("Answers on a connection to the engine")
struct EngineConnectionTests {
    /// The events of a connection.
    private final class Log {
        var answers: [String] = []
        var closings: [EngineFault] = []
    }

    private func connect(_ log: Log) throws -> (EngineConnection, EmbeddedChannel) {
        let connection = EngineConnection { fault, _ in log.closings.append(fault) }
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/engine")).wait()
        return (connection, channel)
    }

    private func send(_ word: String, on connection: EngineConnection, _ log: Log) {
        connection.send(EngineCommand(word).encoded) { result in
            switch result {
            case .success(let value): log.answers.append("\(word) \(value.text ?? "?")")
            case .failure(let fault): log.answers.append("\(word) \(fault)")
            }
        }
    }

    private func receive(_ text: String, _ channel: EmbeddedChannel) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    @Test("The commands of a turn are sent together, and answers belong to them in their order, however they are cut.")
    func pipelined() throws {
        let log = Log()
        let (connection, channel) = try connect(log)
        send("A", on: connection, log)
        send("B", on: connection, log)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "*1\r\n$1\r\nA\r\n"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "*1\r\n$1\r\nB\r\n"))
        try receive("+one\r\n$3\r\ntw", channel)
        #expect(log.answers == ["A one"])
        try receive("o\r\n", channel)
        #expect(log.answers == ["A one", "B two"])
        #expect(connection.isIdle)
    }

    @Test("When the connection is lost, each awaited answer fails once, then the closing is told.")
    func lost() throws {
        let log = Log()
        let (connection, channel) = try connect(log)
        send("A", on: connection, log)
        send("B", on: connection, log)
        _ = try channel.finish(acceptAlreadyClosed: true)
        #expect(log.answers == ["A connectionLost", "B connectionLost"])
        #expect(log.closings == [.connectionLost])
        send("C", on: connection, log)
        #expect(log.answers.last == "C notConnected")
    }

    @Test(
        "Malformed bytes, too large a value and an answer to nothing end the connection.",
        arguments: ["x\r\n", "$2000000\r\n", "+a\r\n+b\r\n"]
    )
    func malformed(text: String) throws {
        let log = Log()
        let (connection, channel) = try connect(log)
        send("A", on: connection, log)
        try receive(text, channel)
        channel.embeddedEventLoop.run()
        #expect(log.closings == [.malformed])
        #expect(!channel.isActive)
    }

    @Test("No more than 4,096 answers are awaited.")
    func bounded() throws {
        let log = Log()
        let (connection, channel) = try connect(log)
        for _ in 0..<4_096 { send("A", on: connection, log) }
        #expect(log.answers.isEmpty)
        send("B", on: connection, log)
        #expect(log.answers == ["B overloaded"])
        try receive("+one\r\n", channel)
        send("C", on: connection, log)
        #expect(log.answers == ["B overloaded", "A one"])
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
