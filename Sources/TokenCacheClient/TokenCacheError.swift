// TokenCacheClient: asks a tokencached on this machine.
//
// Why it exists: few connections that all callers of a process share, with their requests side by side on them, are what
// the daemon serves best, and what every app would write anew. It promises that each call ends: with its reply, with a typed
// error, at its time-out or when its task is cancelled; that a cached token never waits behind slow ones; and that a restart
// of the daemon that is over within its grace fails none.

/// Why a call got no answer.
public struct TokenCacheError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What a program can act on: the daemon's own code, or one that the client finds; a later daemon may know more.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The code on the wire.
        public let rawValue: String

        /// Takes a code from the wire.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// No daemon was there in the call's time or in the grace for a restart, or there can be none at that path.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The daemon's reply makes no sense.
        public static let badReply = Code(rawValue: "bad_reply")
        /// The client was closed.
        public static let closed = Code(rawValue: "closed")
        /// The call's time passed; a token that is minted is cached when it comes.
        public static let timeout = Code(rawValue: "timeout")
        /// The request is wrong, or the client's own settings are; asking again is of no use.
        public static let invalidRequest = Code(rawValue: "invalid_request")
        /// There is no such operation on this socket.
        public static let unsupportedOperation = Code(rawValue: "unsupported_op")
        /// This process may not use that operation, tenant, scope or user.
        public static let forbidden = Code(rawValue: "forbidden")
        /// No tenant of that name is configured.
        public static let unknownTenant = Code(rawValue: "unknown_tenant")
        /// A reload found faults; the old configuration stays in force.
        public static let invalidConfiguration = Code(rawValue: "invalid_configuration")
        /// The tenant refused; see ``TokenCacheError/upstream``.
        public static let denied = Code(rawValue: "denied")
        /// The tenant allows no more calls for now.
        public static let rateLimited = Code(rawValue: "rate_limited")
        /// The tenant can't be reached, is too slow or is not well.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The tenant's answer makes no sense.
        public static let badUpstream = Code(rawValue: "bad_upstream")
        /// Too many requests wait, or too many connections are open.
        public static let overloaded = Code(rawValue: "overloaded")
        /// The daemon is about to end.
        public static let shuttingDown = Code(rawValue: "shutting_down")
    }

    /// The tenant's words, where it refused; or the reason for which it said nothing.
    public struct Upstream: Sendable, Equatable, Codable {
        /// The HTTP status; nil: there was no answer.
        public let status: Int?
        /// The tenant's own code; where there was no answer, the daemon's for the reason.
        public let code: String?
        /// The tenant's own title.
        public let title: String?

        /// Reads the daemon's; a text that is none counts as lacking.
        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            status = try members.decodeIfPresent(Int.self, forKey: .status)
            code = try? members.decode(String.self, forKey: .code)
            title = try? members.decode(String.self, forKey: .title)
            guard status != nil || code != nil else {
                throw DecodingError.dataCorruptedError(
                    forKey: .status,
                    in: members,
                    debugDescription: "it says nothing"
                )
            }
        }

        private enum CodingKeys: CodingKey { case status, code, title }
    }

    /// What a program can act on.
    public let code: Code
    /// A sentence for people; it holds no token and no secret.
    public let description: String
    /// The time after which to ask again, in seconds from 0 to 2,592,000 (30 days); nil: the daemon doesn't say.
    public let retryAfter: Double?
    /// What the tenant said.
    public let upstream: Upstream?

    /// Makes an error.
    public init(_ code: Code, _ description: String, retryAfter: Double? = nil, upstream: Upstream? = nil) {
        self.code = code
        self.description = description
        self.retryAfter = retryAfter
        self.upstream = upstream
    }

    static let badReply = TokenCacheError(.badReply, "the daemon's reply can't be understood")
    static let timeout = TokenCacheError(.timeout, "the daemon did not answer in time")
    static let closed = TokenCacheError(.closed, "the client was closed")
}
