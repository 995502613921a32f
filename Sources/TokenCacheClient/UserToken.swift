/// A user's token, as the daemon answered it.
///
/// It prints without the token itself; that is had only through ``accessToken``.
public struct UserToken: Sendable, Codable, Answer {
    /// The bearer token; whoever has it is that user until it expires.
    public let accessToken: String
    /// `Bearer`.
    public let tokenType: String
    /// Whole seconds left when the daemon answered.
    public let expiresIn: Int
    /// When it ends by the daemon's wall clock, in RFC 3339's form; for display.
    public let expiresAt: String
    /// What the tenant granted.
    public let scope: String
    /// `cache` or `tenant`; a later daemon may know more.
    public let source: String
    /// Whether it has less left than the daemon prefers, because minting another failed.
    public var isStale: Bool { stale ?? false }
    /// Whether it has as much left as `minTTL` asked for; false where a new one would have no more.
    public var meetsMinTTL: Bool { minTTLMet ?? true }

    private let stale: Bool?
    private let minTTLMet: Bool?

    /// Reads the daemon's reply.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        accessToken = try members.decode(String.self, forKey: .accessToken)
        guard !accessToken.isEmpty else {
            throw DecodingError.dataCorruptedError(forKey: .accessToken, in: members, debugDescription: "it is empty")
        }
        tokenType = try members.decode(String.self, forKey: .tokenType)
        expiresIn = try members.decode(Int.self, forKey: .expiresIn)
        expiresAt = try members.decode(String.self, forKey: .expiresAt)
        scope = try members.decode(String.self, forKey: .scope)
        source = try members.decode(String.self, forKey: .source)
        stale = try? members.decode(Bool.self, forKey: .stale)
        minTTLMet = try? members.decode(Bool.self, forKey: .minTTLMet)
    }

    private enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case expiresAt = "expires_at"
        case scope
        case source
        case stale
        case minTTLMet = "min_ttl_met"
    }
}

extension UserToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Redacted.
    public var description: String { "<access token, \(expiresIn) s left>" }
    /// Redacted.
    public var debugDescription: String { description }
    /// Shows nothing of what is inside.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A user, as a request names one.
public enum User: Sendable, Hashable {
    /// By the subject that the identity provider knows.
    case subject(String)
    /// By the tenant's own id.
    case userID(String)
}
