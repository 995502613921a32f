import NIOCore
import NIOHTTP1
import Secrets

/// One request to a tenant.
struct TenantRequest: Sendable {
    let method: HTTPMethod
    /// The path, with a query where there is one.
    ///
    /// It is visible ASCII, so it can't end the request's line.
    let target: String
    /// The token that the request is made with, or nil if its body proves who makes it.
    var bearer: AccessToken?
    /// The body, which is JSON, or nil for none.
    var body: ByteBuffer?
    /// True if it may be sent again if a kept connection broke before a byte of the reply.
    ///
    /// The tenant may have done it all the same.
    var isRepeatable = true
    /// The largest reply that is read, in bytes, after decompression.
    var largestReply = CallHandler.largestGrant

    /// Returns a request for a token, or for its revocation.
    static func grant(_ body: ByteBuffer, to path: String) -> TenantRequest {
        TenantRequest(method: .POST, target: path, body: body)
    }
}
