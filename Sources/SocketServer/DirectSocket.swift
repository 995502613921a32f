import Glibc
import NIOCore

/// Hands bytes straight to a connection's socket.
///
/// What a peer has room for, which is nearly always all, goes from where it was written into the kernel, without a copy
/// in between that would hold tokens and would have to be overwritten, too. Only the rest is left to the channel, which
/// knows how to wait; until it has sent that, nothing may go past it. Its owner lets go of it when the channel is closed, as
/// the kernel gives the descriptor's number to the next connection.
struct DirectSocket {
    /// Never wait, and no signal where the peer is gone.
    private static let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)

    /// The channel's own descriptor; nil: it has none, or doesn't lend it.
    private let descriptor: CInt?
    /// How many writes the channel has not finished.
    private var waiting = 0

    init(_ context: ChannelHandlerContext) {
        descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 }
    }

    /// Sends what the socket takes at once; how many bytes.
    ///
    /// A fault is not looked at: the channel meets it with the rest and closes.
    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard waiting == 0, let descriptor, let start = bytes.baseAddress else { return 0 }
        return max(0, unsafe Glibc.send(descriptor, start, bytes.count, Self.flags))
    }

    /// Notes that the channel was given bytes to send.
    mutating func channelTook() { waiting += 1 }

    /// Notes that it has sent them, or failed to.
    mutating func channelSent() { waiting -= 1 }
}
