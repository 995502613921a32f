import NIOCore
import NIOHTTP1
import Secrets

/// Writes requests as HTTP/1.1, with a token that was never in a Swift string.
///
/// The C library overwrites freed memory, but not small blocks. So a head is written into a block that is large enough.
final class RequestEncoder: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = ByteBuffer

    /// The capacity for a head without its target and token, in bytes.
    ///
    /// A buffer that grows would leave a copy of the token behind.
    private static let capacity = 8_192

    /// The token of the next request.
    var bearer: AccessToken?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            let bytes = encode(head, context.channel.allocator)
            context.write(wrapOutboundOut(bytes), promise: promise)
        case .body(.byteBuffer(let bytes)): context.write(wrapOutboundOut(bytes), promise: promise)
        case .body(.fileRegion): promise?.fail(ChannelError.operationUnsupported)
        case .end: promise?.succeed()
        }
    }

    private func encode(_ head: HTTPRequestHead, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        let variable = head.uri.utf8.count + (bearer?.bytes.count ?? 0)
        var bytes = allocator.buffer(capacity: Self.capacity + variable)
        bytes.writeString("\(head.method.rawValue) \(head.uri) HTTP/1.1\r\n")
        for (name, value) in head.headers { bytes.writeString("\(name): \(value)\r\n") }
        if let bearer {
            bytes.writeString("authorization: Bearer ")
            _ = unsafe bearer.bytes.withUnsafeBytes { unsafe bytes.writeBytes($0) }
            bytes.writeString("\r\n")
            self.bearer = nil
        }
        bytes.writeString("\r\n")
        return bytes
    }
}

@available(*, unavailable)
extension RequestEncoder: Sendable {}
