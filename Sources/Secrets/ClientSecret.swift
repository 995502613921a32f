/// The secret of an OAuth client: whoever has it can act as any user of the tenant.
///
/// It prints as `<client secret>` everywhere; its bytes are had only through ``bytes``.
package struct ClientSecret: Sendable {
    /// The secret as it goes over the wire, without quotes.
    package let bytes: SecretBytes

    /// Wraps the secret's bytes.
    package init(_ bytes: SecretBytes) {
        self.bytes = bytes
    }

    /// Copies a secret from text; for tests, where the text exists anyway.
    package init(_ text: String) {
        bytes = SecretBytes(copyingText: text)
    }
}

extension ClientSecret: Equatable {
    /// Compares the secrets themselves, in a time that depends on their lengths only.
    package static func == (left: ClientSecret, right: ClientSecret) -> Bool {
        unsafe right.bytes.withUnsafeBytes { unsafe left.bytes.matches($0) }
    }
}

extension ClientSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Redacted.
    package var description: String { "<client secret>" }
    /// Redacted.
    package var debugDescription: String { description }
    /// Shows nothing of what is inside.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretBytes {
    /// Copies the UTF-8 of a text.
    convenience init(copyingText text: String) {
        var text = text
        let bytes = text.withUTF8 { unsafe [UInt8]($0) }
        unsafe self.init(count: bytes.count) { unsafe $0.copyBytes(from: bytes) }
    }
}
