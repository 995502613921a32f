/// The reason why a request has failed: a code for clients, and a sentence for people.
package struct ErrorReply: Error, Sendable, Equatable {
    /// The kind of failure, by which a client decides what to do.
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
        case conflict
        case overloaded
        case shuttingDown = "shutting_down"
    }

    /// The tenant's answer to a call that it has denied.
    package struct Upstream: Sendable, Hashable {
        /// The HTTP status.
        package var status: Int
        /// The tenant's own code, at most 200 characters, without control characters.
        package var code: String?
        /// The tenant's own title, at most 200 characters, without control characters.
        package var title: String?

        /// Creates an answer.
        package init(status: Int, code: String? = nil, title: String? = nil) {
            self.status = status
            self.code = code
            self.title = title
        }
    }

    /// The kind of failure.
    package var code: Code
    /// One plain sentence without secrets.
    package var description: String
    /// The time after which to ask again, in whole seconds, at least 1.
    package var retryAfter: Int?
    /// The tenant's answer, or nil if it did not deny the call.
    package var upstream: Upstream?
    /// The reason why the tenant has not answered, as a stable code.
    ///
    /// It is sent as the code of `upstream`, which then has no status.
    package var cause: String?

    /// Creates an error.
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

extension ErrorReply {
    /// The error for requests that are not answered before the daemon ends.
    package static var shuttingDown: ErrorReply {
        ErrorReply(.shuttingDown, "the daemon is shutting down: connect again")
    }
}
