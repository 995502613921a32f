package import Secrets

extension EncodedToken {
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
        text = unsafe SecretBytes(count: split + tail.count) { memory in
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

    private static func needsEscape(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }
}
