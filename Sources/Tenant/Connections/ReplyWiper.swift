import Glibc
import NIOCore

/// The first handler behind TLS, which overwrites a tenant's replies in the buffers that a connection keeps.
///
/// The channel reuses the buffers that it reads into, and TLS those that it decrypts into. Without this handler, each
/// would hold the last token for as long as the connection is open. So the bytes are passed on as a copy, which
/// is freed when the reply has been read (freed memory is overwritten), and the buffer is overwritten here.
final class ReplyWiper: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The least capacity of a copy, in bytes.
    ///
    /// The C library doesn't overwrite smaller blocks when they are freed, but keeps them for the next allocation.
    static let smallestCopy = 4_096

    /// Tells the next handlers that bytes have arrived, even if they are malformed.
    struct BytesReceived: Sendable {}

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let kept = unwrapInboundIn(data)
        var copy = context.channel.allocator.buffer(capacity: max(Self.smallestCopy, kept.readableBytes))
        unsafe kept.withUnsafeReadableBytes { bytes in
            unsafe copy.writeBytes(bytes)
            // This bypasses the buffer's copy-on-write, which would have a copy overwritten. The only other holder of
            // this memory is the connection, which treats it as empty and writes to it before it reads.
            if let start = bytes.baseAddress {
                unsafe explicit_bzero(UnsafeMutableRawPointer(mutating: start), bytes.count)
            }
        }
        context.fireUserInboundEventTriggered(BytesReceived())
        context.fireChannelRead(wrapInboundOut(copy))
    }
}

@available(*, unavailable)
extension ReplyWiper: Sendable {}
