extension TokenCacheClient {
    /// A user's access token and what the daemon says about it.
    ///
    /// Only ``accessToken`` gives the token itself. It appears neither when the value is printed nor when it is dumped.
    public struct Token: Sendable {
        /// The bearer token, never empty.
        ///
        /// Its holder can act as that user until it expires.
        public let accessToken: String
        /// The type of the token, `Bearer`.
        public let tokenType: String
        /// The time that was left when the daemon answered, in whole seconds, rounded down.
        public let expiresIn: Duration
        /// The time of its end by the daemon's wall clock, in the form of RFC 3339.
        ///
        /// It is for display: use ``expiresIn`` to decide.
        public let expiresAt: String
        /// The scopes that the tenant granted, separated by spaces.
        public let scope: String
        /// The source of the token.
        public let source: Source
        /// True if the token has less left than the daemon prefers, because minting another one failed.
        public let isStale: Bool
        /// True if the token has as much left as `minTTL` asked for.
        ///
        /// False if a new token would not have more.
        public let meetsMinTTL: Bool

        /// Creates a token, for a test double of the client.
        ///
        /// - Parameters:
        ///   - accessToken: The bearer token.
        ///   - tokenType: The type of the token.
        ///   - expiresIn: The time that is left.
        ///   - expiresAt: The time of its end, for display.
        ///   - scope: The granted scopes.
        ///   - source: The source of the token.
        ///   - isStale: True if the daemon would prefer a newer one.
        ///   - meetsMinTTL: True if it has as much left as was asked for.
        public init(
            accessToken: String,
            tokenType: String = "Bearer",
            expiresIn: Duration,
            expiresAt: String,
            scope: String,
            source: Source = .cache,
            isStale: Bool = false,
            meetsMinTTL: Bool = true
        ) {
            self.accessToken = accessToken
            self.tokenType = tokenType
            self.expiresIn = expiresIn
            self.expiresAt = expiresAt
            self.scope = scope
            self.source = source
            self.isStale = isStale
            self.meetsMinTTL = meetsMinTTL
        }
    }
}

extension TokenCacheClient.Token: Decodable, OperationReply {
    /// Decodes a reply to `token`.
    ///
    /// A mark of another type than the protocol's counts as missing.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        accessToken = try members.decode(String.self, forKey: .accessToken)
        guard !accessToken.isEmpty else {
            throw DecodingError.dataCorruptedError(forKey: .accessToken, in: members, debugDescription: "it is empty")
        }
        tokenType = try members.decode(String.self, forKey: .tokenType)
        expiresIn = .seconds(try members.decode(Int.self, forKey: .expiresIn))
        expiresAt = try members.decode(String.self, forKey: .expiresAt)
        scope = try members.decode(String.self, forKey: .scope)
        source = Source(rawValue: try members.decode(String.self, forKey: .source))
        isStale = (try? members.decode(Bool.self, forKey: .isStale)) ?? false
        meetsMinTTL = (try? members.decode(Bool.self, forKey: .meetsMinTTL)) ?? true
    }

    private enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case expiresAt = "expires_at"
        case scope
        case source
        case isStale = "stale"
        case meetsMinTTL = "min_ttl_met"
    }
}

extension TokenCacheClient.Token: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The time that was left, without the token itself.
    public var description: String { "<access token, \(expiresIn.components.seconds) s left>" }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// A mirror without children, so that `dump` doesn't show the token.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
