package import Secrets

extension EncodedToken {
    /// The bare token, for its revocation.
    package var accessToken: AccessToken {
        let bytes = unsafe text.withUnsafeBytes { unsafe Array($0[tokenRange]) }
        var bare: [UInt8] = []
        bare.reserveCapacity(bytes.count)
        var isEscaped = false
        for byte in bytes {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
            } else {
                bare.append(byte)
                isEscaped = false
            }
        }
        return AccessToken(unsafe bare.withUnsafeBytes { unsafe SecretBytes(copying: $0) })
    }

    static func needsEscape(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }
}
