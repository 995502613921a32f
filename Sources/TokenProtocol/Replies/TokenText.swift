/// A token and its scopes as they are written between the quotes of JSON strings, in memory that is lent for a reply.
// `@safe`, because pointers are not. It is sound: a text is lent for one call of the encoder, which keeps nothing of it.
@safe package struct TokenText {
    /// The token with its escapes.
    let token: UnsafeRawBufferPointer
    /// The granted scopes with their escapes.
    let scope: UnsafeRawBufferPointer
    /// The token's end by the wall clock.
    let expiresAt: WallTime

    /// Creates a text by its parts, whose memory must stay as it is while the text is used.
    @inline(__always)
    package init(token: UnsafeRawBufferPointer, scope: UnsafeRawBufferPointer, expiresAt: WallTime) {
        unsafe self.token = token
        unsafe self.scope = scope
        self.expiresAt = expiresAt
    }

    /// The number of bytes of both.
    var count: Int { unsafe token.count + scope.count }
}

@available(*, unavailable)
extension TokenText: Sendable {}
