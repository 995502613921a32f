import Crypto

/// The SHA-256 of a token.
///
/// It identifies the token to operators and apps, and can't be turned back into it.
package struct Fingerprint: Sendable, Hashable {
    /// The 256 bits.
    package let words: SIMD4<UInt64>

    /// Creates a fingerprint from bits that were computed earlier.
    package init(words: SIMD4<UInt64>) { self.words = words }

    /// Hashes a secret.
    package init(of secret: SecretBytes) {
        self.init(
            digest: unsafe secret.withUnsafeBytes { bytes in
                var hash = SHA256()
                unsafe hash.update(bufferPointer: bytes)
                return hash.finalize()
            }
        )
    }

    /// Reads 64 hexadecimal digits of either case, or returns nil.
    package init?(hexadecimal text: some Collection<UInt8>) {
        guard text.count == 64 else { return nil }
        var words = SIMD4<UInt64>()
        for (position, digit) in text.enumerated() {
            guard let value = Self.value(ofDigit: digit) else { return nil }
            words[position / 16] = words[position / 16] << 4 | value
        }
        self.words = words
    }

    /// All 64 hexadecimal digits, in lower case.
    package var hexadecimal: String { (0..<4).map { Self.hexadecimal(words[$0]) }.joined() }

    /// The first 16 hexadecimal digits, enough to tell tokens apart in a list or a log.
    package var short: String { Self.hexadecimal(words[0]) }

    private init(digest: SHA256.Digest) {
        var words = SIMD4<UInt64>()
        for (position, byte) in digest.enumerated() {
            words[position / 8] = words[position / 8] << 8 | UInt64(byte)
        }
        self.words = words
    }

    private static func value(ofDigit digit: UInt8) -> UInt64? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(digit - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(digit - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Fingerprint: CustomStringConvertible {
    /// The first 16 hexadecimal digits.
    package var description: String { short }
}
