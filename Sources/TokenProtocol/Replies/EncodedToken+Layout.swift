import Secrets

extension EncodedToken {
    /// The parts of a token's text, from which its length is known before its memory is allocated.
    struct Layout {
        private static let head = Array("\"access_token\":\"".utf8)
        private static let middle = Array("\",\"token_type\":\"Bearer\",\"expires_in\":".utf8)

        let token: AccessToken
        let scope: String
        let expiresAt: String
        /// The range of the token, with its escapes.
        let tokenRange: Range<Int>
        private let tail: [UInt8]

        init(_ token: AccessToken, _ scope: String, _ expiresAt: String) {
            (self.token, self.scope, self.expiresAt) = (token, scope, expiresAt)
            let escaped = unsafe token.bytes.withUnsafeBytes { bytes in
                unsafe bytes.reduce(0) { $0 + (EncodedToken.needsEscape($1) ? 2 : 1) }
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

        /// The offset at which the number of seconds is inserted.
        var expiresInOffset: Int { tokenRange.upperBound + Self.middle.count }

        /// The text's length in bytes.
        var count: Int { expiresInOffset + tail.count }

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
                    if EncodedToken.needsEscape(byte) { put(CollectionOfOne(EncodedToken.escape)) }
                    put(CollectionOfOne(byte))
                }
            }
            put(Self.middle)
            put(tail)
        }
    }
}
