extension TokenCacheClient {
    /// A request of any operation, for ``TokenCacheClient/call(_:)``.
    ///
    /// The methods of the client cover what an app asks. This type also reaches operations of later daemons and those of
    /// the admin socket. A property that is nil is left out of the request.
    public struct Request: Sendable {
        /// The operation's name in the protocol, such as `token`.
        public var operation: String
        /// The user or client whose tokens are meant.
        public var user: User?
        /// The tenant's name in the daemon's configuration.
        public var tenant: String?
        /// The scopes, separated by spaces.
        public var scope: String?
        /// The time for which the token must still be valid when the daemon answers, from 0 to 86,400 s.
        public var minTTL: Duration?
        /// The time that the call may take, from 0 to 300 s.
        ///
        /// If the operation is `token` or `provision`, the request says what is left of it.
        public var timeout: Duration = .seconds(10)
        /// True if a cached token is not acceptable.
        public var noCache = false
        /// The number of entries in a page, from 1 to 1,000.
        public var limit: Int?
        /// The cursor with which the previous page ended.
        public var after: String?
        /// The order of the entries in a page, such as `next_refresh`.
        public var order: String?
        /// The subjects of several users, for `prefetch`.
        public var subjects: [String]?
        /// The tenant's IDs of several users, for `prefetch`.
        public var userIDs: [String]?
        /// The names of several clients, for `prefetch`.
        public var clients: [String]?
        /// The token to invalidate.
        public var accessToken: String?
        /// The SHA-256 of the token to invalidate, as 64 hexadecimal digits.
        public var tokenSHA256: String?
        /// The SHA-256 of the token that the tenant's API has refused, for `token`.
        public var refusedTokenSHA256: String?
        /// The user's name, for `provision`.
        public var name: String?
        /// The user's e-mail address, for `provision`.
        public var email: String?
        /// The names of the user's groups, for `provision`.
        public var groups: [String]?
        /// True if tokens that were minted elsewhere are revoked, too.
        public var everywhere = false
        /// The place in a distributed trace, in the form of W3C Trace Context's header of that name.
        public var traceparent: String?
        /// The level of the daemon's log, for `log_level`.
        public var level: String?
        /// The time for which the level is in force, for `log_level`.
        public var duration: Duration?

        /// Creates a request.
        ///
        /// - Parameters:
        ///   - operation: The operation's name in the protocol.
        ///   - user: The user or client whose tokens are meant.
        ///   - tenant: The tenant's name in the daemon's configuration.
        ///   - scope: The scopes, separated by spaces.
        public init(_ operation: String, user: User? = nil, tenant: String? = nil, scope: String? = nil) {
            self.operation = operation
            self.user = user
            self.tenant = tenant
            self.scope = scope
        }
    }
}

extension TokenCacheClient.Request: Encodable {
    private enum CodingKeys: String, CodingKey {
        case operation = "op"
        case subject
        case userID = "user_id"
        case tenant
        case scope
        case minTTL = "min_ttl"
        case noCache = "no_cache"
        case limit
        case after
        case order
        case subjects
        case userIDs = "user_ids"
        case client
        case clients
        case accessToken = "access_token"
        case tokenSHA256 = "token_sha256"
        case refusedTokenSHA256 = "refused_token_sha256"
        case name
        case email
        case groups
        case everywhere
        case traceparent
        case level
        case duration = "for"
    }

    /// Writes the members of the protocol, except for `id` and `timeout`, which differ each time the request is sent.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(operation, forKey: .operation)
        switch user {
        case .subject(let subject): try container.encode(subject, forKey: .subject)
        case .userID(let userID): try container.encode(userID, forKey: .userID)
        case .client(let client): try container.encode(client, forKey: .client)
        case nil: break
        }
        try container.encodeIfPresent(tenant, forKey: .tenant)
        try container.encodeIfPresent(scope, forKey: .scope)
        try container.encodeIfPresent(minTTL?.inSeconds, forKey: .minTTL)
        if noCache { try container.encode(true, forKey: .noCache) }
        try container.encodeIfPresent(limit, forKey: .limit)
        try container.encodeIfPresent(after, forKey: .after)
        try container.encodeIfPresent(order, forKey: .order)
        try container.encodeIfPresent(subjects, forKey: .subjects)
        try container.encodeIfPresent(userIDs, forKey: .userIDs)
        try container.encodeIfPresent(clients, forKey: .clients)
        try container.encodeIfPresent(accessToken, forKey: .accessToken)
        try container.encodeIfPresent(tokenSHA256, forKey: .tokenSHA256)
        try container.encodeIfPresent(refusedTokenSHA256, forKey: .refusedTokenSHA256)
        try container.encodeIfPresent(name, forKey: .name)
        try container.encodeIfPresent(email, forKey: .email)
        try container.encodeIfPresent(groups, forKey: .groups)
        if everywhere { try container.encode(true, forKey: .everywhere) }
        try container.encodeIfPresent(traceparent, forKey: .traceparent)
        try container.encodeIfPresent(level, forKey: .level)
        try container.encodeIfPresent(duration?.inSeconds, forKey: .duration)
    }
}
