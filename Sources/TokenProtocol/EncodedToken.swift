package import Secrets

/// A token as it stands in every reply that carries it: encoded once when it arrives, overwritten when it goes.
///
/// A reply is then two copies of bytes and one number between them. Use ``accessToken`` only where the bare token is
/// needed, as for its revocation.
package struct EncodedToken: Sendable {
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
}
