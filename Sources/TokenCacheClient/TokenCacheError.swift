/// The reason why a call to the daemon failed.
///
/// Decide by ``code`` what to do. ``message`` is for a log. ``retryAfter`` says when another attempt makes sense, and
/// ``requestState`` whether the daemon may have performed the operation.
///
/// ```swift
/// do {
///     return try await cache.token(for: .subject("auth0|alice"), timeout: .seconds(3))
/// } catch let error as TokenCacheError where error.code == .denied {
///     // The tenant does not know this user, or does not accept the daemon's OAuth client.
///     logger.error("\(error)")
/// }
/// ```
///
/// No text of an error contains a token or a secret.
public struct TokenCacheError: Error, Sendable {
    /// The kind of failure, for a program to act on.
    public let code: Code
    /// One sentence for a log or an operator, in English.
    public let message: String
    /// The time after which another attempt makes sense, from 0 s to 30 days, or nil if the daemon gives none.
    public let retryAfter: Duration?
    /// The tenant's own words, if the tenant is the cause.
    public let upstream: Upstream?
    /// The progress of the request when the call failed: sent or not, answered or not.
    public let requestState: RequestState
    /// The underlying error, such as that of `connect(2)`, if there is one.
    public let cause: (any Error)?

    /// The progress of a request when its call failed.
    public enum RequestState: Sendable, Hashable {
        /// The daemon has not seen the request.
        case notSent
        /// The request was sent and no reply arrived: the daemon may have performed the operation, or may still do so.
        case sent
        /// The daemon replied. The error is its reply, or says that the reply is not one to this operation.
        case answered
    }

    /// Creates an error, for a test double of the client.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: One sentence for a log.
    ///   - retryAfter: The time after which another attempt makes sense.
    ///   - upstream: The tenant's own words.
    ///   - requestState: The progress of the request.
    ///   - cause: The underlying error.
    public init(
        _ code: Code,
        _ message: String,
        retryAfter: Duration? = nil,
        upstream: Upstream? = nil,
        requestState: RequestState = .notSent,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.upstream = upstream
        self.requestState = requestState
        self.cause = cause
    }

    /// The same error with that progress of the request.
    func with(_ requestState: RequestState) -> TokenCacheError {
        TokenCacheError(
            code,
            message,
            retryAfter: retryAfter,
            upstream: upstream,
            requestState: requestState,
            cause: cause
        )
    }
}

extension TokenCacheError: CustomStringConvertible {
    /// The code, the message, and the tenant's own code and title if it gave them.
    ///
    /// For example `denied: the tenant refused the request with status 401 (OAUTH-10: User not found)`.
    public var description: String {
        let words = [upstream?.code, upstream?.title].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ": ")
        return "\(code): \(message)\(words.isEmpty ? "" : " (\(words))")"
    }
}

extension TokenCacheError {
    static let badReply = TokenCacheError(.badReply, "the daemon's reply can't be understood")
    static let timeout = TokenCacheError(.timeout, "the daemon did not answer in time")
    static let closed = TokenCacheError(.closed, "the client was closed")
}
