package import Secrets

extension EncodedToken {
    /// The parts of a token's text, before there is memory for it.
    struct Form {
        private static let head = Array("\"access_token\":\"".utf8)
        private static let middle = Array("\",\"token_type\":\"Bearer\",\"expires_in\":".utf8)

        let token: AccessToken
        let scope: String
        let expiresAt: String
        /// The place of the token, escaped.
        let tokenRange: Range<Int>
        private let tail: [UInt8]

        init(_ token: AccessToken, _ scope: String, _ expiresAt: String) {
            (self.token, self.scope, self.expiresAt) = (token, scope, expiresAt)
            let escaped = unsafe token.bytes.withUnsafeBytes { bytes in
                unsafe bytes.reduce(0) { $0 + (needsEscape($1) ? 2 : 1) }
            }
            tokenRange = Self.head.count..<(Self.head.count + escaped)
            var tail = OutputBuffer()
            tail.append(",\"expires_at\":")
            tail.append(string: expiresAt)
            tail.append(",\"scope\":")
            tail.append(string: scope)
            tail.append(",\"source\":\"")
            self.tail = unsafe tail.drain { unsafe Array($0) }
        }

        /// The place of the number of seconds.
        var split: Int { tokenRange.upperBound + Self.middle.count }

        /// The text's length in bytes.
        var count: Int { split + tail.count }

        /// Writes the text.
        func write(_ memory: UnsafeMutableRawBufferPointer) {
            var position = 0
            func put(_ bytes: some Sequence<UInt8>) {
                for byte in bytes {
                    unsafe memory[position] = byte
                    position += 1
                }
            }
            put(Self.head)
            unsafe token.bytes.withUnsafeBytes { bytes in
                for index in 0..<token.bytes.count {
                    let byte = unsafe bytes[index]
                    if needsEscape(byte) { put(CollectionOfOne(UInt8(ascii: "\\"))) }
                    put(CollectionOfOne(byte))
                }
            }
            put(Self.middle)
            put(tail)
        }
    }
}

extension EncodedToken {
    /// The bare token, for its revocation; where its memory has no room left it lies on the heap for that time.
    package var accessToken: AccessToken {
        let count = bareCount
        return AccessToken(
            unsafe SecretBytes(count: count, in: text.source, writing: writeBare)
                ?? SecretBytes(count: count, writing: writeBare)
        )
    }

    private func writeBare(_ memory: UnsafeMutableRawBufferPointer) {
        var position = 0
        forEachBareByte { byte in
            unsafe memory[position] = byte
            position += 1
        }
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

    /// Whether a token's text ends in the middle of an escape: in an odd number of backslashes.
    static func endsInEscape(_ text: SecretBytes, _ range: Range<Int>) -> Bool {
        unsafe text.withUnsafeBytes { bytes in
            unsafe bytes[range].reversed().prefix { $0 == UInt8(ascii: "\\") }.count % 2 == 1
        }
    }

    static func needsEscape(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }
}
