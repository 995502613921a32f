extension TokenCacheClient {
    /// The result of revoking a user's tokens at logout.
    public struct Revocation: Sendable, Hashable {
        /// True if a token was cached.
        ///
        /// It has been dropped from the cache.
        public let revoked: Bool
        /// True unless the tenant failed to revoke a token, which is then valid there until it expires.
        public let revokedUpstream: Bool

        /// Creates a result, for a test double of the client.
        ///
        /// - Parameters:
        ///   - revoked: True if a token was cached.
        ///   - revokedUpstream: True unless the tenant failed to revoke a token.
        public init(revoked: Bool, revokedUpstream: Bool = true) {
            self.revoked = revoked
            self.revokedUpstream = revokedUpstream
        }
    }
}

extension TokenCacheClient.Revocation: Decodable, OperationReply {
    /// Decodes a reply to `revoke`.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        revoked = try members.decode(Bool.self, forKey: .revoked)
        revokedUpstream = (try? members.decode(Bool.self, forKey: .revokedUpstream)) ?? true
    }

    private enum CodingKeys: String, CodingKey {
        case revoked
        case revokedUpstream = "upstream"
    }
}
