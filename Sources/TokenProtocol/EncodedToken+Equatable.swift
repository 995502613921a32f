extension EncodedToken: Equatable {
    /// Equal where they carry the same token and say the same about it; the token is compared by its fingerprint.
    package static func == (left: EncodedToken, right: EncodedToken) -> Bool {
        left.fingerprint == right.fingerprint && left.scope == right.scope && left.expiresAt == right.expiresAt
    }
}
