/// What a prefetch found.
public struct Prefetch: Sendable, Hashable, Decodable, Answer {
    /// How many are being minted.
    public let queued: Int
    /// How many were there already.
    public let cached: Int
    /// How many are refused at present.
    public let refused: Int

    /// Both together; nil: the numbers are none that a daemon counts.
    func adding(_ other: Prefetch) -> Prefetch? {
        let queued = queued.addingReportingOverflow(other.queued)
        let cached = cached.addingReportingOverflow(other.cached)
        let refused = refused.addingReportingOverflow(other.refused)
        guard !queued.overflow, !cached.overflow, !refused.overflow else { return nil }
        return Prefetch(
            queued: queued.partialValue,
            cached: cached.partialValue,
            refused: refused.partialValue
        )
    }

    private enum CodingKeys: CodingKey { case queued, cached, refused }
}

extension Prefetch {
    /// Reads the daemon's reply.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        queued = try members.decode(Int.self, forKey: .queued)
        cached = try members.decode(Int.self, forKey: .cached)
        refused = try members.contains(.refused) ? members.decode(Int.self, forKey: .refused) : 0
    }
}

/// Whether that very token was dropped.
public struct Invalidation: Sendable, Hashable, Decodable, Answer {
    /// Whether it was.
    public let invalidated: Bool
    /// The time after which to report it again, where it had just replaced a reported one, in seconds from 0 to 2,592,000
    /// (30 days).
    public let retryAfter: Double?

    /// Reads the daemon's reply.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        invalidated = try members.decode(Bool.self, forKey: .invalidated)
        retryAfter = members.pause(forKey: .retryAfter)
    }

    private enum CodingKeys: String, CodingKey {
        case invalidated
        case retryAfter = "retry_after"
    }
}

/// What became of a user's token at logout.
public struct Revocation: Sendable, Hashable, Decodable, Answer {
    /// Whether there was one.
    public let revoked: Bool
    /// Whether the tenant has revoked it.
    public let upstream: Bool

    /// Reads the daemon's reply.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        revoked = try members.decode(Bool.self, forKey: .revoked)
        upstream = (try? members.decode(Bool.self, forKey: .upstream)) ?? true
    }

    private enum CodingKeys: CodingKey { case revoked, upstream }
}

/// What the daemon is, and what this process may use of it.
public struct Hello: Sendable, Hashable, Decodable, Answer {
    /// The program's name.
    public let server: String
    /// Its version.
    public let version: String
    /// The protocol's version; a changed meaning raises it.
    public let protocolVersion: Int
    /// The operations' names.
    public let operations: [String]
    /// The tenants' names.
    public let tenants: [String]
    /// The longest line that the daemon takes, in bytes.
    public let longestLine: Int

    private enum CodingKeys: String, CodingKey {
        case server
        case version
        case protocolVersion = "protocol"
        case operations = "ops"
        case tenants
        case longestLine = "max_line"
    }
}
