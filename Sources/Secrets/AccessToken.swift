/// A user's access token: whoever has it is that user until it expires.
///
/// It prints as `<access token>` everywhere; its bytes are had only through ``bytes``.
package struct AccessToken: Sendable {
    /// The token as it goes over the wire, without quotes.
    package let bytes: SecretBytes

    /// Wraps the token's bytes.
    package init(_ bytes: SecretBytes) {
        self.bytes = bytes
    }

    /// Copies a token from text; for tests and tools, where the text exists anyway.
    package init(_ text: String) {
        bytes = SecretBytes(copyingText: text)
    }

    /// The SHA-256 of the token, by which it can be named without being told.
    package var fingerprint: Fingerprint { Fingerprint(of: bytes) }
}

extension AccessToken: Equatable {
    /// Compares the tokens themselves, in a time that depends on their lengths only.
    package static func == (left: AccessToken, right: AccessToken) -> Bool {
        unsafe right.bytes.withUnsafeBytes { unsafe left.bytes.matches($0) }
    }
}

extension AccessToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Redacted.
    package var description: String { "<access token>" }
    /// Redacted.
    package var debugDescription: String { description }
    /// Shows nothing of what is inside.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
