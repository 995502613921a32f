/// A user's access token.
///
/// Its holder can act as that user until it expires. It prints as `<access token>` everywhere. Its bytes are
/// accessible only through ``bytes``.
package struct AccessToken: Sendable {
    /// The token as sent over the wire, without quotes.
    package let bytes: SecretBytes

    /// Wraps the token's bytes.
    package init(_ bytes: SecretBytes) {
        self.bytes = bytes
    }

    /// Copies a token from text, for tests and tools whose text is in memory anyway.
    package init(_ text: String) {
        bytes = SecretBytes(copyingText: text)
    }

    /// The SHA-256 of the token, which identifies it without revealing it.
    package var fingerprint: Fingerprint { Fingerprint(of: bytes) }
}

extension AccessToken: Equatable {
    /// Compares the tokens in a time that depends only on their lengths.
    package static func == (left: AccessToken, right: AccessToken) -> Bool {
        unsafe right.bytes.withUnsafeBytes { unsafe left.bytes.matches($0) }
    }
}

extension AccessToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The redacted text.
    package var description: String { "<access token>" }
    /// The redacted text.
    package var debugDescription: String { description }
    /// A mirror without children.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
