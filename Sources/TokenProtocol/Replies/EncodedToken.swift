package import Secrets

/// A token in the form of its replies: encoded once when it arrives, overwritten when it is dropped.
///
/// It is a class because every hit hands it on, which then counts one reference instead of one for each part. A reply
/// is two copies of bytes with a number between them. Use ``accessToken`` only if the token without its escapes is
/// needed, as for its revocation.
package final class EncodedToken: Sendable {
    /// `"access_token":"…","token_type":"Bearer","expires_in":`, then, from ``expiresInOffset`` on,
    /// `,"expires_at":"…","scope":"…","source":"`.
    package let text: SecretBytes
    /// The offset in ``text`` at which the number of `expires_in` is inserted.
    package let expiresInOffset: Int
    /// The range in ``text`` of the token's JSON text, without the quotes.
    package let tokenRange: Range<Int>
    /// The SHA-256 of the token.
    package let fingerprint: Fingerprint
    /// The scopes that the tenant has granted.
    package let scope: String
    /// The token's end by the wall clock, in the form of RFC 3339, for display only.
    package let expiresAt: String

    /// Encodes a token in memory from the source of the token's own.
    ///
    /// Returns nil if none is left there.
    ///
    /// - Parameters:
    ///   - accessToken: Visible ASCII, as RFC 6749's appendix A.12 allows. The tenant's client accepts nothing else.
    ///   - scope: The scopes that the tenant has granted.
    ///   - expiresAt: The end by the wall clock, in the form of RFC 3339.
    package convenience init?(accessToken: AccessToken, scope: String, expiresAt: String) {
        let layout = Layout(accessToken, scope, expiresAt)
        let text = unsafe SecretBytes(count: layout.count, in: accessToken.bytes.source, writing: layout.write)
        guard let text else { return nil }
        self.init(layout, text)
    }

    /// Encodes a token on the heap, for tests, whose tokens are there anyway.
    package convenience init(onHeap accessToken: AccessToken, scope: String, expiresAt: String) {
        let layout = Layout(accessToken, scope, expiresAt)
        self.init(layout, unsafe SecretBytes(count: layout.count, writing: layout.write))
    }

    private init(_ layout: Layout, _ text: SecretBytes) {
        self.text = text
        expiresInOffset = layout.expiresInOffset
        tokenRange = layout.tokenRange
        fingerprint = layout.token.fingerprint
        scope = layout.scope
        expiresAt = layout.expiresAt
    }

    /// Restores a token that was encoded earlier.
    ///
    /// Returns nil if its parts contradict each other.
    package init?(
        text: SecretBytes,
        expiresInOffset: Int,
        tokenRange: Range<Int>,
        fingerprint: Fingerprint,
        scope: String,
        expiresAt: String
    ) {
        guard tokenRange.lowerBound >= 0, tokenRange.upperBound <= expiresInOffset,
            expiresInOffset <= text.count, !Self.endsInEscape(text, tokenRange)
        else { return nil }
        self.text = text
        self.expiresInOffset = expiresInOffset
        self.tokenRange = tokenRange
        self.fingerprint = fingerprint
        self.scope = scope
        self.expiresAt = expiresAt
    }
}
