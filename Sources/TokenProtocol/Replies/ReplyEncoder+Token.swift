import Secrets

extension ReplyEncoder {
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
        output.append(UInt8(ascii: "{"))
        if !id.isEmpty {
            output.append("\"id\":")
            unsafe id.withUnsafeBufferPointer { unsafe output.append($0) }
            output.append(UInt8(ascii: ","))
        }
        output.append(token.text, 0..<token.expiresInOffset)
        output.append(reply.expiresIn)
        output.append(token.text, token.expiresInOffset..<token.text.count)
        switch reply.source {
        case .cache: output.append("cache\"")
        case .tenant: output.append("tenant\"")
        }
        if reply.isStale { output.append(",\"stale\":true") }
        if !reply.meetsMinTTL { output.append(",\"min_ttl_met\":false") }
        output.append("}\n")
    }
}
