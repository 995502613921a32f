import NIOHTTP1

/// An HTTP reply before it becomes bytes.
struct OutgoingReply: Sendable {
    /// The way in which the body's end is indicated.
    enum Framing: Sendable, Equatable {
        case length
        case declared(Int)  // By a length that may be wrong.
        case chunked
    }

    var status: Int
    /// The header fields before those of the framing.
    var fields: [(name: String, value: String)] = []
    /// The body, before it is framed.
    var body: [UInt8] = []
    var framing = Framing.length
    /// True if the connection ends after it.
    var closes = false

    /// A reply without a body.
    init(_ status: Int) { self.status = status }

    /// A reply of JSON.
    init(_ status: Int, json: String) { self.init(status, text: json, type: "application/json") }

    /// A reply of text.
    init(_ status: Int, text: String, type: String = "text/plain; charset=utf-8") {
        self.status = status
        fields = [("content-type", type)]
        body = Array(text.utf8)
    }

    /// The status line with its line end.
    var statusLine: [UInt8] {
        Array("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n".utf8)
    }

    /// The header fields with the empty line after them.
    var headRest: [UInt8] {
        var fields = fields
        switch framing {
        case .length: fields.append(("content-length", "\(body.count)"))
        case .declared(let length): fields.append(("content-length", "\(length)"))
        case .chunked: fields.append(("transfer-encoding", "chunked"))
        }
        if closes { fields.append(("connection", "close")) }
        return Array((fields.map { field in "\(field.name): \(field.value)\r\n" }.joined() + "\r\n").utf8)
    }

    var head: [UInt8] { statusLine + headRest }

    /// The body, in two chunks if it is chunked.
    var framedBody: [UInt8] {
        guard framing == .chunked, !body.isEmpty else { return body }
        let half = body.count / 2
        return Self.chunk(body[..<half]) + Self.chunk(body[half...]) + Self.lastChunk
    }

    /// The steps that send the reply correctly.
    var steps: [ReplyStep] { [.send(head + framedBody)] + (closes ? [.close] : []) }

    /// The end of a chunked body.
    static let lastChunk = Array("0\r\n\r\n".utf8)

    /// A chunk with its size, or nothing for an empty one, which would end the body.
    static func chunk(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        return Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + Array("\r\n".utf8)
    }
}
