package import Secrets

/// The members of `invalidate`.
package struct InvalidateRequest: Sendable, Equatable {
    /// The key of the token.
    package var key: KeyRequest
    /// The SHA-256 of the token that an API has rejected.
    ///
    /// A request can name the token by it, or send the token whole.
    package var fingerprint: Fingerprint

    /// Creates a report of a rejected token.
    package init(key: KeyRequest, fingerprint: Fingerprint) {
        self.key = key
        self.fingerprint = fingerprint
    }
}
