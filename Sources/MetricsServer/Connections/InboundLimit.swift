import NIOCore

/// Passes a request's bytes up to a limit, so that nothing behind it collects more, whatever it parses them as.
///
/// The parser bounds the header fields, but not the line before them.
final class InboundLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// There were more bytes.
    struct Exceeded: Error {}

    private var rest: Int

    /// Creates a limit.
    init(_ bytes: Int) { rest = bytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard rest >= 0 else { return }
        rest -= unwrapInboundIn(data).readableBytes
        guard rest >= 0 else { return context.fireErrorCaught(Exceeded()) }
        context.fireChannelRead(data)
    }
}

@available(*, unavailable)
extension InboundLimit: Sendable {}
