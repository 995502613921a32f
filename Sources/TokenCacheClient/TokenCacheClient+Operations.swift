import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What apps ask.
///
/// Each call ends in its time: with an answer, with a ``TokenCacheError``, or, where its task is cancelled, with a
/// `CancellationError`. A call whose arguments can't be written as a line of the protocol (64 KiB) is
/// ``TokenCacheError/Code/invalidRequest``; what they mean is the daemon's to judge.
extension TokenCacheClient {
    /// A user's token.
    ///
    /// - Parameters:
    ///   - user: Who.
    ///   - tenant: The tenant's name in the daemon's configuration; nil: the default one.
    ///   - scope: Scopes with spaces between; nil: the tenant's own.
    ///   - minTTL: What must be left of it when it is answered, in seconds from 0 to 86,400; nil: the daemon's
    ///     configuration has a preference.
    ///   - timeout: How long the call may take, in seconds from 0 to 300; 10 where nothing is said. 0 asks for what is
    ///     cached.
    ///   - noCache: Whether a cached token won't do.
    public func token(
        for user: User,
        tenant: String? = nil,
        scope: String? = nil,
        minTTL: Double? = nil,
        timeout: Double? = nil,
        noCache: Bool = false
    ) async throws -> UserToken {
        var request = ClientRequest("token", user: user, tenant: tenant, scope: scope)
        request.minTTL = minTTL
        request.timeout = timeout
        request.noCache = noCache ? true : nil
        return try await answer(to: request)
    }

    /// Has users' tokens minted, before they are asked for; it doesn't wait until they are.
    ///
    /// More users than one request holds (1,000, or fewer where their ids are long) are asked for in several, one after
    /// another; the answer is their sum. Where one of these fails, so does the call, and the users behind it aren't asked
    /// for; what was asked before is minted all the same.
    ///
    /// - Parameters:
    ///   - subjects: The users by the subjects that the identity provider knows.
    ///   - userIDs: Instead of them, the users by the tenant's own ids.
    ///   - tenant: The tenant's name in the daemon's configuration; nil: the default one.
    ///   - scope: Scopes with spaces between; nil: the tenant's own.
    ///   - timeout: How long the call may take altogether, in seconds from 0 to 300; 10 where nothing is said.
    public func prefetch(
        subjects: [String]? = nil,
        userIDs: [String]? = nil,
        tenant: String? = nil,
        scope: String? = nil,
        timeout: Double? = nil
    ) async throws -> Prefetch {
        var request = ClientRequest("prefetch", tenant: tenant, scope: scope)
        request.subjects = subjects
        request.userIDs = userIDs
        request.timeout = timeout
        let lines = try request.parts().map { part throws(TokenCacheError) in try RequestLine(part) }
        let start = NIODeadline.now()
        var total = Prefetch(queued: 0, cached: 0, refused: 0)
        for line in lines {
            let part = try Prefetch(reply: try await call(line, before: start + line.timeout), to: request.operation)
            guard let sum = total.adding(part) else { throw TokenCacheError.badReply }
            total = sum
        }
        return total
    }

    /// Drops a user's token that the tenant's API has refused; another one that is cached by now stays.
    ///
    /// - Parameters:
    ///   - user: Whose.
    ///   - token: The very token.
    ///   - sha256: Instead of it, its SHA-256 in hexadecimal.
    ///   - tenant: The tenant's name in the daemon's configuration; nil: the default one.
    ///   - scope: The scopes with which it was asked for; nil: the tenant's own.
    ///   - timeout: How long the call may take, in seconds from 0 to 300; 10 where nothing is said.
    public func invalidate(
        _ user: User,
        accessToken token: String? = nil,
        tokenSHA256 sha256: String? = nil,
        tenant: String? = nil,
        scope: String? = nil,
        timeout: Double? = nil
    ) async throws -> Invalidation {
        var request = ClientRequest("invalidate", user: user, tenant: tenant, scope: scope)
        request.accessToken = token
        request.tokenSHA256 = sha256
        request.timeout = timeout
        return try await answer(to: request)
    }

    /// Ends a user's tokens at logout, at the tenant too.
    ///
    /// - Parameters:
    ///   - user: Whose.
    ///   - tenant: The tenant's name in the daemon's configuration; nil: the default one.
    ///   - scope: Only the token of these scopes; nil: all of them.
    ///   - timeout: How long the call may take, in seconds from 0 to 300; 10 where nothing is said.
    public func revoke(
        _ user: User,
        tenant: String? = nil,
        scope: String? = nil,
        timeout: Double? = nil
    ) async throws -> Revocation {
        var request = ClientRequest("revoke", user: user, tenant: tenant, scope: scope)
        request.timeout = timeout
        return try await answer(to: request)
    }

    /// What the daemon is, and what this process may use of it.
    ///
    /// - Parameter timeout: How long the call may take, in seconds from 0 to 300; 10 where nothing is said.
    public func hello(timeout: Double? = nil) async throws -> Hello {
        var request = ClientRequest("hello")
        request.timeout = timeout
        return try await answer(to: request)
    }

    private func answer<Result: Answer>(to request: ClientRequest) async throws -> Result {
        try Result(reply: try await call(request), to: request.operation)
    }
}
