import SafeText
import Secrets

/// The text of a token in replies.
///
/// A token is visible ASCII, so only quotation marks and backslashes are escaped, with one backslash before them.
extension GrantedToken {
    private static let escape = UInt8(ascii: "\\")

    /// Lends the text of the token and its scopes.
    func withText<Result>(_ body: (TokenText) -> Result) -> Result {
        let scope = scope.isPlainJSON ? Array(scope.utf8) : Array(scope.jsonQuoted.utf8.dropFirst().dropLast())
        let token = escapedToken
        return unsafe token.withUnsafeBytes { token in
            unsafe scope.withUnsafeBytes { unsafe body(TokenText(token: token, scope: $0, expiresAt: expiresAt)) }
        }
    }

    /// The token with its escapes, which is the token itself if there are none.
    ///
    /// If the locked memory is full, an escaped token is on the heap until the reply is written.
    private var escapedToken: SecretBytes {
        let bytes = accessToken.bytes
        let escapes = unsafe bytes.withUnsafeBytes { unsafe $0.count(where: Self.needsEscape) }
        guard escapes > 0 else { return bytes }
        let count = bytes.count + escapes
        return unsafe SecretBytes(count: count, in: bytes.source, writing: writeEscaped)
            ?? SecretBytes(count: count, writing: writeEscaped)
    }

    private func writeEscaped(_ memory: UnsafeMutableRawBufferPointer) {
        var position = 0
        unsafe accessToken.bytes.withUnsafeBytes { bytes in
            for index in bytes.indices {
                let byte = unsafe bytes[index]
                if Self.needsEscape(byte) {
                    unsafe memory[position] = Self.escape
                    position += 1
                }
                unsafe memory[position] = byte
                position += 1
            }
        }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == escape }
}
