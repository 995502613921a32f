import NIOCore
import NIOPosix
import NIOSSL
import StandInTenant
import Testing

/// A connection to the stand-in that sends and receives plain bytes.
final class RawConnection {
    /// The way in which the other side ended the connection.
    enum Ending {
        case closed
        case reset
    }

    private var inbound: AsyncThrowingStream<ByteBuffer, any Error>.AsyncIterator
    private let channel: any Channel
    /// The bytes that were received and not yet taken.
    private(set) var received: [UInt8] = []

    fileprivate init(_ inbound: AsyncThrowingStream<ByteBuffer, any Error>, _ channel: any Channel) {
        self.inbound = inbound.makeAsyncIterator()
        self.channel = channel
    }

    /// Sends bytes, and leaves it to the receiving side to notice a failure.
    func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Receives until a condition holds, and says how the connection ended if that came first.
    @discardableResult
    func receive(until isEnough: ([UInt8]) -> Bool) async throws -> Ending? {
        while !isEnough(received) {
            do {
                guard let buffer = try await inbound.next(isolation: #isolation) else { return .closed }
                received += buffer.readableBytesView
            } catch is IOError {
                return .reset
            }
        }
        return nil
    }

    /// Receives one complete reply.
    func reply() async throws -> RawReply {
        var complete: RawReply?
        var next = 0
        let ending = try await receive { bytes in
            // To look at a long reply after each piece would take a time that grows with the square of its length.
            guard bytes.count >= next else { return false }
            let reply = RawReply(bytes)
            next = bytes.count + min(reply?.missing ?? 1, 1_048_576)
            complete = reply.flatMap { $0.isComplete ? $0 : nil }
            return complete != nil
        }
        let reply = try #require(complete, "the connection ended (\(String(describing: ending))) within a reply")
        received.removeFirst(reply.length)
        return reply
    }

    /// Receives until the connection ends.
    func ending() async throws -> Ending {
        try await receive { _ in false } ?? .closed
    }
}

/// Connects to a stand-in, over TLS where it trusts an authority.
func withConnection<Result>(
    to tenant: StandInTenant,
    port: Int? = nil,
    trusting authority: String? = nil,
    _ body: (RawConnection) async throws -> Result
) async throws -> Result {
    let tls = try authority.map(clientContext)
    let (inbound, continuation) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
                try pipeline.addHandler(ByteStreamHandler(continuation))
            }
        }
        .connect(host: "127.0.0.1", port: port ?? tenant.port)
        .get()
    // The stand-in may have closed it already.
    do {
        let result = try await body(RawConnection(inbound, channel))
        try? await channel.close()
        return result
    } catch {
        try? await channel.close()
        throw error
    }
}

private func clientContext(_ authority: String) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
    return try NIOSSLContext(configuration: configuration)
}
