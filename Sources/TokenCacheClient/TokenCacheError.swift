// TokenCacheClient: asks a tokencached on this machine.
//
// Why it exists: one connection that all callers of a process share, with their requests side by side on it, is what the
// daemon serves best, and what every app would write anew. It promises that each call ends: with its reply, with a typed
// error, at its time-out or when its task is cancelled.

/// Why a call got no answer.
public struct TokenCacheError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What a program can act on.
    public enum Code: Sendable, Hashable {
        /// The daemon answered with an error; its code on the wire, such as `denied` or `rate_limited`.
        case refused(String)
        /// No daemon can be reached at the socket.
        case unreachable
        /// The connection ended before the reply came; what was asked may or may not have been done.
        case connectionLost
        /// The call's own time-out passed.
        case timedOut
        /// The daemon's reply makes no sense.
        case invalidReply
        /// The client was closed.
        case closed
    }

    /// What the tenant said, where it refused.
    public struct Upstream: Sendable, Equatable, Codable {
        /// The HTTP status.
        public let status: Int
        /// The tenant's own code.
        public let code: String?
        /// The tenant's own title.
        public let title: String?
    }

    /// What a program can act on.
    public let code: Code
    /// A sentence for people.
    public let description: String
    /// When to ask again, in seconds.
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
}
