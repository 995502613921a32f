package import NIOHTTP1

/// A complete request.
package struct IncomingRequest: Sendable {
    /// Many times the largest body of the contract, past which the rest is dropped.
    static let maximumBody = 262_144

    package var head: HTTPRequestHead
    package var body: [UInt8]
    /// True if the rest of the body was dropped.
    package var isTooLong = false

    package init(_ head: HTTPRequestHead, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }
}
