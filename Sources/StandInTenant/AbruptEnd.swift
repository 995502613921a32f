import Glibc
import NIOCore

/// Asks for the end of a connection by RST.
struct ResetConnection: Sendable {}

/// Ends a connection by RST where ``ResetConnection`` comes through the pipeline as an outbound event.
///
/// It stands before TLS, so that what it does to the socket isn't preceded by TLS's own farewell.
final class AbruptEnd: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ResetConnection else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        // On the loop the option is set before the call returns. With no time to linger, close(2) sends RST.
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: promise)
    }
}

@available(*, unavailable)
extension AbruptEnd: Sendable {}
