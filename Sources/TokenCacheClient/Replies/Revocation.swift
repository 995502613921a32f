extension TokenCacheClient {
    /// The result of revoking a user's tokens at logout.
    public struct Revocation: Sendable, Hashable {
        /// True if a token was cached.
        ///
        /// It has been dropped from the cache.
        public let revoked: Bool
        /// True unless the tenant failed to revoke a token, which is then valid there until it expires.
        public let revokedUpstream: Bool
        /// The number of tokens that were revoked through the tenant's list of the user's tokens, minted here or elsewhere.
        ///
        /// It is nil unless the call asked for all of them.
        public let upstreamRevoked: Int?

        /// Creates a result, for a test double of the client.
        ///
        /// - Parameters:
        ///   - revoked: True if a token was cached.
        ///   - revokedUpstream: True unless the tenant failed to revoke a token.
        ///   - upstreamRevoked: The number of tokens that were revoked through the tenant's list.
        public init(revoked: Bool, revokedUpstream: Bool = true, upstreamRevoked: Int? = nil) {
            self.revoked = revoked
            self.revokedUpstream = revokedUpstream
            self.upstreamRevoked = upstreamRevoked
        }
    }
}

extension TokenCacheClient.Revocation {
    /// Checks that the daemon has revoked tokens that were minted elsewhere, which an older one doesn't do.
    package func checkEverywhere() throws(TokenCacheError) {
        guard upstreamRevoked == nil else { return }
        throw TokenCacheError(
            .unsupportedOperation,
            "the daemon has revoked only the tokens that it had, as it is older than 'everywhere'",
            requestState: .answered
        )
    }
}

extension TokenCacheClient.Revocation: Decodable, OperationReply {
    /// Decodes a reply to `revoke`.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        revoked = try members.decode(Bool.self, forKey: .revoked)
        revokedUpstream = (try? members.decode(Bool.self, forKey: .revokedUpstream)) ?? true
        upstreamRevoked =
            try members.contains(.upstreamRevoked) ? members.decode(Int.self, forKey: .upstreamRevoked) : nil
    }

    private enum CodingKeys: String, CodingKey {
        case revoked
        case revokedUpstream = "upstream"
        case upstreamRevoked = "upstream_revoked"
    }
}
