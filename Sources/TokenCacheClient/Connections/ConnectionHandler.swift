import NIOCore

/// Reports the events of one connection to the client.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// An event of a connection.
    enum Event {
        /// Complete lines, which arrived in one read.
        case lines([ByteBuffer])
        /// A line that is longer than any reply.
        case lineTooLong
        /// The channel accepts writes again.
        case writable
        /// The connection has ended.
        case ended
    }

    private let report: (Event) -> Void
    private var framer: LineFramer

    init(longestReply: Int, report: @escaping (Event) -> Void) {
        framer = LineFramer(longestLine: longestReply)
        self.report = report
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        framer.append(unwrapInboundIn(data))
        var lines: [ByteBuffer] = []
        do {
            while let line = try framer.next() { lines.append(line) }
            if !lines.isEmpty { report(.lines(lines)) }
        } catch {
            report(.lines(lines))
            report(.lineTooLong)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { report(.writable) }
    }

    func channelInactive(context: ChannelHandlerContext) { report(.ended) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
