import NIOCore
import TokenProtocol

/// Answers a connection that exceeds the limit with an error, and closes it.
final class ConnectionRejectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        var output = OutputBuffer()
        let error = ErrorReply(.overloaded, "too many connections are open", retryAfter: 1)
        ReplyEncoder.encode(.error(error), id: nil, into: &output)
        var buffer = context.channel.allocator.buffer(capacity: output.count)
        unsafe output.drain { _ = unsafe buffer.writeBytes($0) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
    }
}
