import NIOCore
import NIOHTTP1

/// Puts the parts of a request together.
struct RequestCollector {
    /// Many times the largest request of the contract; what is longer isn't kept.
    private static let maximumBody = 262_144

    private var request: IncomingRequest?

    /// Takes a part, and gives the request where that was its last one.
    mutating func receive(_ part: HTTPServerRequestPart) -> IncomingRequest? {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): append(bytes)
        case .end: return finish()
        }
        return nil
    }

    private mutating func begin(_ head: HTTPRequestHead) {
        var request = IncomingRequest(method: head.method.rawValue, target: head.uri, fields: [:])
        request.fields = head.headers.map { field in
            IncomingRequest.Field(name: field.name.lowercased(), value: field.value)
        }
        request.keepsAlive = head.isKeepAlive
        self.request = request
    }

    private mutating func append(_ bytes: ByteBuffer) {
        let room = Self.maximumBody - (request?.body.count ?? 0)
        request?.body += bytes.readableBytesView.prefix(room)
        if bytes.readableBytes > room { request?.isTooLong = true }
    }

    private mutating func finish() -> IncomingRequest? {
        defer { request = nil }
        return request
    }
}
