package import Secrets

/// A token as it stands in every reply that carries it: encoded once when it arrives, overwritten when it goes.
///
/// It is a class because every hit hands it on: one count goes up instead of one for each of its parts. A reply is then two copies of bytes and one number between them. Use ``accessToken`` only where the bare token is
/// needed, as for its revocation.
package final class EncodedToken: Sendable {
    /// `"access_token":"…","token_type":"Bearer","expires_in":`, then, from ``split`` on,
    /// `,"expires_at":"…","scope":"…","source":"`.
    package let text: SecretBytes
    /// Where `expires_in`'s number goes.
    package let split: Int
    /// Where in ``text`` the token's JSON text stands, without the quotes.
    package let tokenRange: Range<Int>
    /// The SHA-256 of the token.
    package let fingerprint: Fingerprint
    /// What the tenant granted.
    package let scope: String
    /// When the token ends by the wall clock, in RFC 3339's form; for display only.
    package let expiresAt: String

    /// Encodes a token for all its replies, in memory from where the token's own was taken; nil where none is left.
    ///
    /// - Parameters:
    ///   - accessToken: Visible ASCII, as RFC 6749's appendix A.12 allows; the tenant's client lets nothing else in.
    ///   - scope: What the tenant granted.
    ///   - expiresAt: The end by the wall clock, in RFC 3339's form.
    package convenience init?(accessToken: AccessToken, scope: String, expiresAt: String) {
        let form = Form(accessToken, scope, expiresAt)
        let text = unsafe SecretBytes(count: form.count, in: accessToken.bytes.source, writing: form.write)
        guard let text else { return nil }
        self.init(form, text)
    }

    /// Encodes a token on the heap; for tests, where the token lies there anyway.
    package convenience init(onHeap accessToken: AccessToken, scope: String, expiresAt: String) {
        let form = Form(accessToken, scope, expiresAt)
        self.init(form, unsafe SecretBytes(count: form.count, writing: form.write))
    }

    private init(_ form: Form, _ text: SecretBytes) {
        self.text = text
        split = form.split
        tokenRange = form.tokenRange
        fingerprint = form.token.fingerprint
        scope = form.scope
        expiresAt = form.expiresAt
    }

    /// Takes one over that was encoded earlier; nil where its parts contradict each other.
    package init?(
        text: SecretBytes,
        split: Int,
        tokenRange: Range<Int>,
        fingerprint: Fingerprint,
        scope: String,
        expiresAt: String
    ) {
        guard tokenRange.lowerBound >= 0, tokenRange.upperBound <= split, split <= text.count,
            !Self.endsInEscape(text, tokenRange)
        else { return nil }
        self.text = text
        self.split = split
        self.tokenRange = tokenRange
        self.fingerprint = fingerprint
        self.scope = scope
        self.expiresAt = expiresAt
    }
}
