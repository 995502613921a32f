/// Why a request got no answer: the code that clients act on, and a sentence for people.
package struct ErrorReply: Error, Sendable, Equatable {
    /// What a client can act on.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case invalidRequest = "invalid_request"
        case unsupportedOperation = "unsupported_op"
        case forbidden
        case unknownTenant = "unknown_tenant"
        case invalidConfiguration = "invalid_configuration"
        case denied
        case rateLimited = "rate_limited"
        case unavailable
        case timeout
        case badUpstream = "bad_upstream"
        case overloaded
        case shuttingDown = "shutting_down"
    }

    /// What the tenant said, where it refused.
    package struct Upstream: Sendable, Hashable {
        /// The HTTP status.
        package var status: Int
        /// The tenant's own code, at most 200 characters, without control characters.
        package var code: String?
        /// The tenant's own title, at most 200 characters, without control characters.
        package var title: String?

        /// Makes it.
        package init(status: Int, code: String? = nil, title: String? = nil) {
            self.status = status
            self.code = code
            self.title = title
        }
    }

    /// What a client can act on.
    package var code: Code
    /// One plain sentence without secrets.
    package var description: String
    /// When to ask again, in whole seconds, at least 1.
    package var retryAfter: Int?
    /// What the tenant said.
    package var upstream: Upstream?
    /// The reason for which the tenant gave no answer, as a code that stays: the code of `upstream`, which has no status then.
    package var cause: String?

    /// Makes an error.
    package init(
        _ code: Code,
        _ description: String,
        retryAfter: Int? = nil,
        upstream: Upstream? = nil,
        cause: String? = nil
    ) {
        self.code = code
        self.description = description
        self.retryAfter = retryAfter
        self.upstream = upstream
        self.cause = cause
    }
}
