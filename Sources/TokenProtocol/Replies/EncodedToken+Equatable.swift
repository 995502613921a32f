extension EncodedToken: Equatable {
    /// True if both have the same token, scope and end.
    ///
    /// The tokens are compared by their fingerprints.
    package static func == (left: EncodedToken, right: EncodedToken) -> Bool {
        left.fingerprint == right.fingerprint && left.scope == right.scope && left.expiresAt == right.expiresAt
    }
}
