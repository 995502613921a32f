package import Secrets

extension EncodedToken {
    /// The bare token, for its revocation.
    package var accessToken: AccessToken {
        AccessToken(
            unsafe SecretBytes(count: bareCount, in: text.source) { memory in
                var position = 0
                forEachBareByte { byte in
                    unsafe memory[position] = byte
                    position += 1
                }
            }
        )
    }

    private var bareCount: Int {
        var count = 0
        forEachBareByte { _ in count += 1 }
        return count
    }

    /// Goes over the token's bytes without its escapes, which are one backslash before the byte that it escapes.
    private func forEachBareByte(_ body: (UInt8) -> Void) {
        unsafe text.withUnsafeBytes { bytes in
            var position = tokenRange.lowerBound
            while position < tokenRange.upperBound {
                if unsafe bytes[position] == UInt8(ascii: "\\") { position += 1 }
                unsafe body(bytes[position])
                position += 1
            }
        }
    }

    static func needsEscape(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }
}
