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

    /// Encodes a token for all its replies.
    ///
    /// - Parameters:
    ///   - accessToken: Visible ASCII, as RFC 6749's appendix A.12 allows; the tenant's client lets nothing else in.
    ///   - scope: What the tenant granted.
    ///   - expiresAt: The end by the wall clock, in RFC 3339's form.
    package init(accessToken: AccessToken, scope: String, expiresAt: String) {
        let escaped = unsafe accessToken.bytes.withUnsafeBytes { bytes in
            unsafe bytes.reduce(0) { $0 + (Self.needsEscape($1) ? 2 : 1) }
        }
        let head = Array("\"access_token\":\"".utf8)
        let middle = Array("\",\"token_type\":\"Bearer\",\"expires_in\":".utf8)
        var tail = OutputBuffer()
        tail.append(",\"expires_at\":")
        tail.append(string: expiresAt)
        tail.append(",\"scope\":")
        tail.append(string: scope)
        tail.append(",\"source\":\"")
        tokenRange = head.count..<(head.count + escaped)
        split = head.count + escaped + middle.count
        text = unsafe SecretBytes(count: split + tail.count, in: accessToken.bytes.source) { memory in
            var position = 0
            func put(_ bytes: some Sequence<UInt8>) {
                for byte in bytes {
                    unsafe memory[position] = byte
                    position += 1
                }
            }
            put(head)
            unsafe accessToken.bytes.withUnsafeBytes { bytes in
                for index in 0..<accessToken.bytes.count {
                    let byte = unsafe bytes[index]
                    if Self.needsEscape(byte) { put(CollectionOfOne(UInt8(ascii: "\\"))) }
                    put(CollectionOfOne(byte))
                }
            }
            put(middle)
            unsafe tail.drain { unsafe put($0) }
        }
        fingerprint = accessToken.fingerprint
        self.scope = scope
        self.expiresAt = expiresAt
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
        guard tokenRange.lowerBound >= 0, tokenRange.upperBound <= split, split <= text.count else { return nil }
        self.text = text
        self.split = split
        self.tokenRange = tokenRange
        self.fingerprint = fingerprint
        self.scope = scope
        self.expiresAt = expiresAt
    }
}
