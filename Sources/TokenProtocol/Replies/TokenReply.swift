/// A token, with what applies to it at the moment of the reply.
package struct TokenReply: Sendable, Equatable {
    /// The source of a reply's token.
    package enum Source: String, Sendable, Hashable {
        /// The token was in the cache.
        case cache
        /// The token was minted for this request, or for another one at the same time.
        case tenant
        /// The token was minted by another machine of the fleet, and was read from what they share.
        case fleet
    }

    /// The token.
    package var token: GrantedToken
    /// The whole seconds that are left, rounded down.
    package var expiresIn: Int
    /// The token's source.
    package var source: Source
    /// True if this is the old token, because minting a new one failed.
    package var isStale: Bool
    /// True if the token has the `min_ttl` that the request asked for.
    ///
    /// The reply only says so if it does not.
    package var meetsMinTTL: Bool

    /// Creates a reply.
    package init(
        token: GrantedToken,
        expiresIn: Int,
        source: Source,
        isStale: Bool = false,
        meetsMinTTL: Bool = true
    ) {
        self.token = token
        self.expiresIn = expiresIn
        self.source = source
        self.isStale = isStale
        self.meetsMinTTL = meetsMinTTL
    }
}
