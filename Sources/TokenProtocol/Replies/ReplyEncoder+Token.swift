import Secrets

extension ReplyEncoder {
    /// The most bytes of a token reply beside its id, its token and its scopes.
    private static let mostBesideTexts = 256

    /// Appends a token reply and its line end.
    static func encode(_ reply: TokenReply, id: RequestID?, into output: inout OutputBuffer) {
        let id = id?.json ?? []
        encode(reply, id: id.span, into: &output)
    }

    /// Appends a token reply and its line end.
    ///
    /// - Parameter id: The JSON text of the request's id, empty if it has none.
    package static func encode(_ reply: TokenReply, id: borrowing Span<UInt8>, into output: inout OutputBuffer) {
        reply.token.withText { text in
            encode(
                text,
                expiresIn: reply.expiresIn,
                source: reply.source,
                isStale: reply.isStale,
                meetsMinTTL: reply.meetsMinTTL,
                id: id,
                into: &output
            )
        }
    }

    /// Appends the reply with a token in memory that is lent, and its line end.
    ///
    /// - Parameters:
    ///   - text: The token.
    ///   - expiresIn: The whole seconds that are left.
    ///   - source: The token's source.
    ///   - isStale: True if it is the old token, because minting a new one failed.
    ///   - meetsMinTTL: True if it has the `min_ttl` that the request asked for.
    ///   - id: The JSON text of the request's id, empty if it has none.
    ///   - output: The reply and its line end are appended to it.
    package static func encode(
        _ text: TokenText,
        expiresIn: Int,
        source: TokenReply.Source,
        isStale: Bool = false,
        meetsMinTTL: Bool = true,
        id: borrowing Span<UInt8>,
        into output: inout OutputBuffer
    ) {
        let size = text.count + id.count + mostBesideTexts
        output.append(atMost: size) { writer in
            writer.write("{")
            if !id.isEmpty {
                writer.write("\"id\":")
                writer.write(id)
                writer.write(",")
            }
            writer.write("\"access_token\":\"")
            unsafe writer.write(text.token)
            writer.write("\",\"token_type\":\"Bearer\",\"expires_in\":")
            writer.write(decimal: expiresIn)
            writer.write(",\"expires_at\":\"")
            let expiresAt = text.expiresAt.bytes
            writer.write(expiresAt.span)
            writer.write("\",\"scope\":\"")
            unsafe writer.write(text.scope)
            switch source {
            case .cache: writer.write("\",\"source\":\"cache\"")
            case .tenant: writer.write("\",\"source\":\"tenant\"")
            case .fleet: writer.write("\",\"source\":\"fleet\"")
            }
            if isStale { writer.write(",\"stale\":true") }
            if !meetsMinTTL { writer.write(",\"min_ttl_met\":false") }
            writer.write("}\n")
        }
    }
}
