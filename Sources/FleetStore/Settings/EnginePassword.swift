package import Secrets

/// The password of the engine's user.
///
/// It prints as `<engine password>` everywhere.
package struct EnginePassword: Sendable, Equatable {
    /// The password as it is sent.
    package let bytes: SecretBytes

    /// Wraps the password's bytes.
    package init(_ bytes: SecretBytes) { self.bytes = bytes }

    /// Compares the passwords in a time that depends only on their lengths.
    package static func == (left: EnginePassword, right: EnginePassword) -> Bool {
        unsafe right.bytes.withUnsafeBytes { unsafe left.bytes.matches($0) }
    }
}

extension EnginePassword: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The redacted text.
    package var description: String { "<engine password>" }
    /// The redacted text.
    package var debugDescription: String { description }
    /// A mirror without children.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
