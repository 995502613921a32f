import NIOCore

/// Cuts what the daemon sends into lines, and tells when the connection is gone.
final class ClientChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// The longest reply that is believed: a page of a thousand entries is well below it.
    private static let longestLine = 16 * 1_024 * 1_024

    private let line: (ByteBuffer) -> Void
    private let gone: () -> Void
    private var pending = ByteBuffer()

    init(line: @escaping (ByteBuffer) -> Void, gone: @escaping () -> Void) {
        self.line = line
        self.gone = gone
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var chunk = unwrapInboundIn(data)
        pending.writeBuffer(&chunk)
        while let end = pending.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let length = end - pending.readerIndex
            guard let text = pending.readSlice(length: length) else { break }
            pending.moveReaderIndex(forwardBy: 1)
            line(text)
        }
        pending.discardReadBytes()
        if pending.readableBytes > Self.longestLine { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { gone() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
