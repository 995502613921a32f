import NIOCore
import NIOHTTP1

/// A tenant's reply, as it was received.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    var body: ByteBuffer
}
