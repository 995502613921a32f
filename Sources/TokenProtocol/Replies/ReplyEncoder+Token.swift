import Secrets

extension ReplyEncoder {
    /// The most bytes of a token reply beside its id and the text of its token.
    private static let mostBesideToken = 128

    /// Appends a token reply and its line end.
    static func encode(_ reply: TokenReply, id: RequestID?, into output: inout OutputBuffer) {
        let id = id?.json ?? []
        encode(reply, id: id.span, into: &output)
    }

    /// Appends a token reply and its line end.
    ///
    /// - Parameter id: The JSON text of the request's id, empty if it has none.
    package static func encode(_ reply: TokenReply, id: borrowing Span<UInt8>, into output: inout OutputBuffer) {
        let token = reply.token
        output.append(atMost: token.text.count + id.count + Self.mostBesideToken) { writer in
            writer.write("{")
            if !id.isEmpty {
                writer.write("\"id\":")
                writer.write(id)
                writer.write(",")
            }
            unsafe token.text.withUnsafeBytes { text in
                unsafe writer.write(UnsafeRawBufferPointer(rebasing: text[..<token.expiresInOffset]))
                writer.write(decimal: reply.expiresIn)
                unsafe writer.write(UnsafeRawBufferPointer(rebasing: text[token.expiresInOffset...]))
            }
            switch reply.source {
            case .cache: writer.write("cache\"")
            case .tenant: writer.write("tenant\"")
            }
            if reply.isStale { writer.write(",\"stale\":true") }
            if !reply.meetsMinTTL { writer.write(",\"min_ttl_met\":false") }
            writer.write("}\n")
        }
    }
}
