import NIOCore
import NIOSSL
import NIOTLS

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Completes a promise when a TLS handshake has succeeded or failed.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<Void>
    private let seen: SeenCertificate?

    /// - Parameter seen: Gets the certificate if it is rejected.
    init(_ promise: EventLoopPromise<Void>, _ seen: SeenCertificate? = nil) {
        self.promise = promise
        self.seen = seen
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if !context.channel.isActive { promise.fail(CallFault(.tlsFailed)) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            promise.succeed()
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        seen?.set(tls?.peerCertificate)
        let now = Int(Date().timeIntervalSince1970)
        promise.fail(CallFault.handshaking(error, tls?.peerCertificate, now: now))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(CallFault(.tlsFailed))
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension HandshakeHandler: Sendable {}
