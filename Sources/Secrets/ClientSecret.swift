/// The secret of an OAuth client.
///
/// Its holder can act as any user of the tenant. It prints as `<client secret>` everywhere. Its bytes are
/// accessible only through ``bytes``.
package struct ClientSecret: Sendable {
    /// The secret as sent over the wire, without quotes.
    package let bytes: SecretBytes

    /// Wraps the secret's bytes.
    package init(_ bytes: SecretBytes) {
        self.bytes = bytes
    }

    /// Copies a secret from text, for tests whose text is in memory anyway.
    package init(_ text: String) {
        bytes = SecretBytes(copyingText: text)
    }
}

extension ClientSecret: Equatable {
    /// Compares the secrets in a time that depends only on their lengths.
    package static func == (left: ClientSecret, right: ClientSecret) -> Bool {
        unsafe right.bytes.withUnsafeBytes { unsafe left.bytes.matches($0) }
    }
}

extension ClientSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The redacted text.
    package var description: String { "<client secret>" }
    /// The redacted text.
    package var debugDescription: String { description }
    /// A mirror without children.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretBytes {
    /// Copies the UTF-8 bytes of a text.
    convenience init(copyingText text: String) {
        var text = text
        let bytes = text.withUTF8 { unsafe [UInt8]($0) }
        unsafe self.init(count: bytes.count) { unsafe $0.copyBytes(from: bytes) }
    }
}
