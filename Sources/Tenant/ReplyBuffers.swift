import NIOCore

/// Has each read of a tenant's answer go into a buffer of its own, which is freed when the answer has been read.
///
/// A channel keeps its buffers to use them again, and with them the last token that came in: as many as there are
/// connections, for as long as these are open. It keeps the first buffers that it gets, as many as it reads at a time; so
/// it is to read one at a time, and the first buffer has room for one byte, of the protocol's own. Freed memory is
/// overwritten by the C library.
struct ReplyBuffers: RecvByteBufferAllocator {
    /// A token with everything around it fits one.
    private static let size = 8_192

    private var isFirst = true

    /// Has a connection use it.
    static func use(on channel: any Channel) -> EventLoopFuture<Void> {
        channel.setOption(.maxMessagesPerRead, value: 1)
            .flatMap { channel.setOption(.recvAllocator, value: ReplyBuffers()) }
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: isFirst ? 1 : Self.size) }

    /// Says always that the next buffer has to be larger: otherwise the channel would use the first one again.
    mutating func record(actualReadBytes: Int) -> Bool {
        isFirst = false
        return true
    }
}
