import Glibc
import NIOCore

/// An outbound event that asks for the end of a connection by RST.
struct ResetConnection: Sendable {}

/// Ends a connection by RST on ``ResetConnection``.
///
/// It stands before TLS in the pipeline, so that TLS doesn't send its own end first.
final class ResetHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ResetConnection else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        // On the loop the option is set before the call returns. With no time to linger, close(2) sends RST.
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: promise)
    }
}

@available(*, unavailable)
extension ResetHandler: Sendable {}
