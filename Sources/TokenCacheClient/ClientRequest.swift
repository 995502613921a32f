/// A request to the daemon; what isn't set is not sent.
public struct ClientRequest: Sendable, Encodable {
    /// The operation's name on the wire.
    public var operation: String
    /// Whose token.
    public var user: User?
    /// The tenant's name in the daemon's configuration.
    public var tenant: String?
    /// The scopes, with spaces between.
    public var scope: String?
    /// The time that must be left of the token when it is answered, in seconds from 0 to 86,400.
    public var minTTL: Double?
    /// The caller's longest wait, in seconds from 0 to 300; the daemon is told of it when a token is asked for; nil: 10.
    public var timeout: Double?
    /// Whether a cached token won't do.
    public var noCache: Bool?
    /// The size of a page.
    public var limit: Int?
    /// The cursor of a page.
    public var after: String?
    /// Several users' subjects, to prefetch.
    public var subjects: [String]?
    /// Several users' ids, to prefetch.
    public var userIDs: [String]?
    /// The very token to invalidate.
    public var accessToken: String?
    /// The SHA-256 of the token to invalidate, in hexadecimal.
    public var tokenSHA256: String?

    /// Asks for an operation.
    public init(_ operation: String, user: User? = nil, tenant: String? = nil, scope: String? = nil) {
        self.operation = operation
        self.user = user
        self.tenant = tenant
        self.scope = scope
    }

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
        case subjects
        case userIDs = "user_ids"
        case accessToken = "access_token"
        case tokenSHA256 = "token_sha256"
    }

    /// Writes the members that are set, but for the time-out, of which each sending has what is left.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(operation, forKey: .operation)
        switch user {
        case .subject(let subject): try container.encode(subject, forKey: .subject)
        case .userID(let userID): try container.encode(userID, forKey: .userID)
        case nil: break
        }
        try container.encodeIfPresent(tenant, forKey: .tenant)
        try container.encodeIfPresent(scope, forKey: .scope)
        try container.encodeIfPresent(minTTL, forKey: .minTTL)
        try container.encodeIfPresent(noCache, forKey: .noCache)
        try container.encodeIfPresent(limit, forKey: .limit)
        try container.encodeIfPresent(after, forKey: .after)
        try container.encodeIfPresent(subjects, forKey: .subjects)
        try container.encodeIfPresent(userIDs, forKey: .userIDs)
        try container.encodeIfPresent(accessToken, forKey: .accessToken)
        try container.encodeIfPresent(tokenSHA256, forKey: .tokenSHA256)
    }
}
