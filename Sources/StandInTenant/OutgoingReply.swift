import NIOHTTP1

/// A reply before it becomes bytes.
package struct OutgoingReply: Sendable, Equatable {
    /// How the reader learns where the body ends.
    package enum Framing: Sendable, Equatable {
        /// By a length, which is the body's own.
        case length
        /// By a length that is declared, whatever the body's is.
        case declared(Int)
        /// By chunks.
        case chunked
    }

    /// The status.
    package var status: Int
    /// The header fields before those of the framing, by name and value.
    package var fields: [(name: String, value: String)] = []
    /// The body, before it is framed.
    package var body: [UInt8] = []
    /// How the body's end is told.
    package var framing = Framing.length
    /// Whether the connection ends after it.
    package var closes = false

    /// A reply without a body.
    package init(_ status: Int) {
        self.status = status
    }

    /// A reply of JSON.
    package init(_ status: Int, json: JSONValue) {
        self.status = status
        fields = [("content-type", "application/json")]
        body = Array(json.encoded.utf8)
    }

    /// A reply of text.
    package init(_ status: Int, text: String) {
        self.status = status
        fields = [("content-type", "text/plain; charset=utf-8")]
        body = Array(text.utf8)
    }

    /// Compares all that gets onto the wire.
    package static func == (one: OutgoingReply, other: OutgoingReply) -> Bool {
        one.statusLine == other.statusLine && one.headRest == other.headRest && one.framedBody == other.framedBody
    }
}

extension OutgoingReply {
    /// The bytes of the status line with its line end.
    package var statusLine: [UInt8] {
        Array("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n".utf8)
    }

    /// The bytes of the header fields, up to the empty line and with it.
    package var headRest: [UInt8] {
        let lines = (fields + framingFields).map { field in "\(field.name): \(field.value)\r\n" }
        return Array((lines.joined() + "\r\n").utf8)
    }

    /// The bytes of the head.
    package var head: [UInt8] {
        statusLine + headRest
    }

    /// The bytes of the body, in chunks where it goes that way.
    package var framedBody: [UInt8] {
        guard framing == .chunked, !body.isEmpty else { return body }
        let half = body.count / 2
        return Self.chunk(body[..<half]) + Self.chunk(body[half...]) + Array("0\r\n\r\n".utf8)
    }

    /// The steps that send the reply as it should be sent.
    package var script: ReplyScript {
        ReplyScript([.send(head + framedBody)] + (closes ? [.close] : []))
    }

    /// One chunk with its size; an empty one, which would end the body, is left out.
    package static func chunk(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        return Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + Array("\r\n".utf8)
    }

    private var framingFields: [(name: String, value: String)] {
        let end: [(name: String, value: String)] = closes ? [("connection", "close")] : []
        return switch framing {
        case .length: [("content-length", String(body.count))] + end
        case .declared(let length): [("content-length", String(length))] + end
        case .chunked: [("transfer-encoding", "chunked")] + end
        }
    }
}
