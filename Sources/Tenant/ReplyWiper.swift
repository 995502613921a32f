import Glibc
import NIOCore

/// Overwrites what comes in from a tenant in the buffers that a connection keeps; it stands before all that read it.
///
/// A connection uses its buffers again and again: the channel those that it reads into, TLS those that it decrypts into.
/// Each holds the last token that came in, for as long as the connection is open. So what comes out of them goes on as a
/// copy, which is freed when the answer has been read, and freed memory is overwritten; the buffer is overwritten here.
final class ReplyWiper: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The C library doesn't overwrite smaller blocks when they are freed: it sets those aside for the next one who asks.
    static let smallestCopy = 4_096

    /// Tells the handlers behind that bytes came, whether or not they can be understood.
    struct BytesCame: Sendable {}

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let kept = unwrapInboundIn(data)
        var copy = context.channel.allocator.buffer(capacity: max(Self.smallestCopy, kept.readableBytes))
        unsafe kept.withUnsafeReadableBytes { bytes in
            unsafe copy.writeBytes(bytes)
            // Past the buffer's copy-on-write, as a copy of it would be overwritten instead. Whoever else holds this memory
            // is the connection, which takes it for empty and writes to it before it reads.
            if let start = bytes.baseAddress {
                unsafe explicit_bzero(UnsafeMutableRawPointer(mutating: start), bytes.count)
            }
        }
        context.fireUserInboundEventTriggered(BytesCame())
        context.fireChannelRead(wrapInboundOut(copy))
    }
}

@available(*, unavailable)
extension ReplyWiper: Sendable {}
