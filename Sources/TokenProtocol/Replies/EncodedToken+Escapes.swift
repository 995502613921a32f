package import Secrets

/// The escapes of a token's text.
///
/// A token is visible ASCII, so only quotation marks and backslashes are escaped, with one backslash before them.
extension EncodedToken {
    /// The byte before an escaped one.
    static let escape = UInt8(ascii: "\\")

    /// True if a byte of a token is escaped.
    static func needsEscape(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == escape }

    /// True if a token's text ends in the middle of an escape, that is, in an odd number of backslashes.
    static func endsInEscape(_ text: SecretBytes, _ range: Range<Int>) -> Bool {
        unsafe text.withUnsafeBytes { bytes in
            unsafe bytes[range].reversed().prefix { $0 == escape }.count % 2 == 1
        }
    }

    /// The token without its escapes, for its revocation.
    ///
    /// If the locked memory is full, it is on the heap for that time.
    package var accessToken: AccessToken {
        let count = unescapedCount
        return AccessToken(
            unsafe SecretBytes(count: count, in: text.source, writing: writeUnescaped)
                ?? SecretBytes(count: count, writing: writeUnescaped)
        )
    }

    private func writeUnescaped(_ memory: UnsafeMutableRawBufferPointer) {
        var position = 0
        forEachUnescapedByte { byte in
            unsafe memory[position] = byte
            position += 1
        }
    }

    private var unescapedCount: Int {
        var count = 0
        forEachUnescapedByte { _ in count += 1 }
        return count
    }

    private func forEachUnescapedByte(_ body: (UInt8) -> Void) {
        unsafe text.withUnsafeBytes { bytes in
            var position = tokenRange.lowerBound
            while position < tokenRange.upperBound {
                if unsafe bytes[position] == Self.escape { position += 1 }
                unsafe body(bytes[position])
                position += 1
            }
        }
    }
}
