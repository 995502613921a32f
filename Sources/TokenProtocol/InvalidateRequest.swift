package import Secrets

/// The members of `invalidate`.
package struct InvalidateRequest: Sendable, Equatable {
    /// Whose token.
    package var key: KeyRequest
    /// Which token an API has refused: by its SHA-256, which is also what a token that was sent whole is reduced to.
    package var fingerprint: Fingerprint

    /// Reports a refused token.
    package init(key: KeyRequest, fingerprint: Fingerprint) {
        self.key = key
        self.fingerprint = fingerprint
    }
}
