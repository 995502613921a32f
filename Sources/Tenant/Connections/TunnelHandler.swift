import NIOCore
import Secrets

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Asks an HTTP proxy for a tunnel to the tenant (RFC 9110, section 9.3.6), and removes itself when the tunnel is open.
final class TunnelHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The longest head of a proxy's reply that is accepted, in bytes.
    private static let longestHead = 16_384

    /// The tenant's host and port.
    private let target: String
    private let proxy: ProxySettings
    private let promise: EventLoopPromise<Void>
    private var head: [UInt8] = []

    init(to target: String, by proxy: ProxySettings, _ promise: EventLoopPromise<Void>) {
        self.target = target
        self.proxy = proxy
        self.promise = promise
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard context.channel.isActive else { return fail(.connectionLost) }
        var request = context.channel.allocator.buffer(capacity: ReplyWiper.smallestCopy)
        request.writeString("CONNECT \(target) HTTP/1.1\r\nhost: \(target)\r\n")
        if let credentials = proxy.credentials {
            request.writeString("proxy-authorization: Basic ")
            request.writeBytes(unsafe credentials.bytes.withUnsafeBytes { unsafe Data($0).base64EncodedData() })
            request.writeString("\r\n")
        }
        request.writeString("\r\n")
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        head += unwrapInboundIn(data).readableBytesView
        guard let end = head.firstRange(of: Array("\r\n\r\n".utf8)) else {
            if head.count > Self.longestHead { fail(.notHTTP, context) }
            return
        }
        guard let status = status(of: head[..<end.lowerBound]) else { return fail(.notHTTP, context) }
        switch status {
        case 200...299:
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            promise.succeed()
        case 407: fail(.authentication, context)
        case 403: fail(.forbidden, context)
        default: fail(.gateway, status: status, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.connectionLost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(.connectionLost, context) }

    /// Reads a line such as `HTTP/1.1 200 Connection established`.
    private func status(of head: ArraySlice<UInt8>) -> Int? {
        let words = head.prefix { $0 != 0x0D }.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].starts(with: "HTTP/1.".utf8), words[1].count == 3 else { return nil }
        return Int(String(decoding: words[1], as: UTF8.self))
    }

    private func fail(_ cause: CallFault.Cause, status: Int? = nil, _ context: ChannelHandlerContext? = nil) {
        promise.fail(CallFault(cause, at: .proxy, status: status))
        context?.close(promise: nil)
    }
}

@available(*, unavailable)
extension TunnelHandler: Sendable {}
