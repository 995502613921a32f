extension TokenCacheError {
    /// A kind of failure: a code of the daemon's protocol, or one that the client itself finds.
    ///
    /// The set is open. A later daemon may send a code that has no constant here. Compare with `==`, and treat an unknown
    /// code as a failure that another attempt may not fix.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The code as the protocol writes it, such as `rate_limited`.
        public let rawValue: String

        /// Creates a code from the protocol's text.
        ///
        /// Any text is a code.
        public init(rawValue: String) { self.rawValue = rawValue }
    }
}

extension TokenCacheError.Code: CustomStringConvertible {
    /// The code as the protocol writes it.
    public var description: String { rawValue }
}

// MARK: Codes of the client

extension TokenCacheError.Code {
    /// No daemon could be reached in the call's time or in the grace period for a restart, or its path can't be a socket's.
    public static let unreachable = TokenCacheError.Code(rawValue: "unreachable")
    /// The daemon's reply is malformed.
    public static let badReply = TokenCacheError.Code(rawValue: "bad_reply")
    /// The client was closed before or during the call.
    public static let closed = TokenCacheError.Code(rawValue: "closed")
}

// MARK: Codes of the client and the daemon

extension TokenCacheError.Code {
    /// The call's timeout passed.
    ///
    /// A mint goes on and its token is cached, so a later call may find it.
    public static let timeout = TokenCacheError.Code(rawValue: "timeout")
    /// An argument of the call or a setting of the client is invalid.
    ///
    /// The same call fails again.
    public static let invalidRequest = TokenCacheError.Code(rawValue: "invalid_request")
}

// MARK: Codes of the daemon

extension TokenCacheError.Code {
    /// The socket offers no operation of that name.
    public static let unsupportedOperation = TokenCacheError.Code(rawValue: "unsupported_op")
    /// The daemon's access rules don't allow this process that operation, tenant, scope or user.
    public static let forbidden = TokenCacheError.Code(rawValue: "forbidden")
    /// The daemon's configuration has no tenant of that name.
    public static let unknownTenant = TokenCacheError.Code(rawValue: "unknown_tenant")
    /// A reload found errors in the configuration.
    ///
    /// The previous configuration stays in force.
    public static let invalidConfiguration = TokenCacheError.Code(rawValue: "invalid_configuration")
    /// The tenant refused to mint a token, or a user that was to be provisioned is disabled or deleted there.
    ///
    /// ``TokenCacheError/upstream`` has its words, or the user's status as `code`.
    public static let denied = TokenCacheError.Code(rawValue: "denied")
    /// The tenant has several users with this subject, or says that the user exists and doesn't find it.
    ///
    /// An administrator of the tenant has to resolve it.
    public static let conflict = TokenCacheError.Code(rawValue: "conflict")
    /// The tenant's rate limit, or the daemon's own pacing below it, allows no call in the call's time.
    public static let rateLimited = TokenCacheError.Code(rawValue: "rate_limited")
    /// The tenant can't be reached, is too slow or has an internal error.
    public static let unavailable = TokenCacheError.Code(rawValue: "unavailable")
    /// The tenant's answer is malformed.
    public static let badUpstream = TokenCacheError.Code(rawValue: "bad_upstream")
    /// Too many requests wait in the daemon, or too many connections are open.
    public static let overloaded = TokenCacheError.Code(rawValue: "overloaded")
    /// The daemon is shutting down.
    ///
    /// The client retries by itself, so an app sees this code only in a trace of the protocol.
    public static let shuttingDown = TokenCacheError.Code(rawValue: "shutting_down")
}
