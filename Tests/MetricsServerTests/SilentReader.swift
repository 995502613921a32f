import NIOCore
import NIOPosix

/// A client that asks for the metrics and reads nothing.
struct SilentReader {
    private let channel: any Channel

    static func connect(port: Int) async throws -> SilentReader {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port)
            .get()
        // On a busy machine the server may have ended the connection already.
        try? await channel.writeAndFlush(ByteBuffer(string: "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        return SilentReader(channel: channel)
    }

    func close() async throws { try? await channel.close() }
}
