import NIOCore

/// Tells the client what happens on one of its connections.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// What happened.
    enum Event {
        /// These lines came together.
        case lines([ByteBuffer])
        /// A line is longer than any reply.
        case lineTooLong
        /// What was written has gone out.
        case writable
        /// It has ended.
        case ended
    }

    private let happened: (Event) -> Void
    private var framer: LineFramer

    init(longestReply: Int, happened: @escaping (Event) -> Void) {
        framer = LineFramer(longestLine: longestReply)
        self.happened = happened
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        framer.append(unwrapInboundIn(data))
        var lines: [ByteBuffer] = []
        do {
            while let line = try framer.next() { lines.append(line) }
            if !lines.isEmpty { happened(.lines(lines)) }
        } catch {
            happened(.lines(lines))
            happened(.lineTooLong)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { happened(.writable) }
    }

    func channelInactive(context: ChannelHandlerContext) { happened(.ended) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
