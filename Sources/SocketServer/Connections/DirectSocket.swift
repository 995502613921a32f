import Glibc
import NIOCore

/// Sends bytes straight to a connection's socket, past its channel.
///
/// The socket nearly always accepts all of them. They are then copied once, from the output into the kernel, and not
/// into a buffer of the channel, which would hold tokens and have to be overwritten, too. The rest is left to the
/// channel, which knows how to wait. Until the channel has sent it, nothing may be sent past it. The owner drops this
/// value when the channel is closed, as the kernel gives the descriptor's number to the next connection.
struct DirectSocket {
    /// Don't block, and raise no signal if the peer has closed the connection.
    private static let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)

    /// The channel's own descriptor, or nil if it has none, or doesn't show it.
    private let descriptor: CInt?
    /// The number of writes that the channel has not completed.
    private var channelWrites = 0

    init(_ context: ChannelHandlerContext) {
        descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 }
    }

    /// Sends what the socket accepts at once.
    ///
    /// An error is ignored here. The channel meets it with the rest, and closes the connection.
    ///
    /// - Returns: The number of bytes that were sent.
    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard channelWrites == 0, let descriptor, let start = bytes.baseAddress else { return 0 }
        return max(0, unsafe Glibc.send(descriptor, start, bytes.count, Self.flags))
    }

    /// Notes that the channel was given bytes to send.
    mutating func channelBeganWrite() { channelWrites += 1 }

    /// Notes that the channel has sent the bytes of a write, or failed to.
    mutating func channelEndedWrite() { channelWrites -= 1 }
}
