import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// The operations of the request socket. The daemon checks what their arguments mean. Only a request that can't be written as
// a line of the protocol, or whose timeout is out of range, fails before it is sent.

// MARK: Getting tokens

extension TokenCacheClient {
    /// Gets a user's token, from the daemon's cache or by a call of the daemon to the tenant.
    ///
    /// A cached token is there in microseconds. A token that has to be minted takes as long as the tenant takes, and as
    /// long as the tenant's rate limit makes the daemon wait. Callers that ask for the same token at the same time share
    /// one mint.
    ///
    /// - Parameters:
    ///   - user: The user of the token, or the client.
    ///   - tenant: The tenant's name in the daemon's configuration. If nil, it is the default tenant.
    ///   - scope: The scopes, separated by spaces, in any order. If nil, they are those of the configuration.
    ///   - minTTL: The time for which the token must still be valid when the daemon answers, from 0 to 86,400 s. If nil,
    ///     the daemon prefers what its configuration says, and makes do with less if minting fails:
    ///     see ``Token/isStale``.
    ///   - timeout: The time that the call may take, from 0 to 300 s. With 0 the call gets only what is cached.
    ///   - noCache: True if a cached token is not acceptable, such as for a user that the app has just created.
    ///   - refusedToken: The token that the tenant's API has just refused. If it is the cached one, the daemon drops it and
    ///     mints another. If it was minted just now in place of another refused one, the call fails with
    ///     ``TokenCacheError/Code/rateLimited``.
    ///   - traceparent: The place of the call in a distributed trace, as the `traceparent` header of W3C Trace Context has
    ///     it. The daemon's call to the tenant, if there is one, becomes a part of the trace. The daemon ignores a text
    ///     that is not valid.
    /// - Returns: The token and what the daemon says about it.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled. A mint that has begun goes on in
    ///   both cases, and its token is cached.
    public func token(
        for user: User,
        tenant: String? = nil,
        scope: String? = nil,
        minTTL: Duration? = nil,
        timeout: Duration = .seconds(10),
        noCache: Bool = false,
        refusedToken: RefusedToken? = nil,
        traceparent: String? = nil
    ) async throws -> Token {
        var request = Request("token", user: user, tenant: tenant, scope: scope)
        request.minTTL = minTTL
        request.timeout = timeout
        request.noCache = noCache
        request.refusedTokenSHA256 = refusedToken?.digest
        request.traceparent = traceparent
        return try Token(reply: try await tokenReply(to: request), to: request.operation)
    }

    /// Has tokens minted before they are asked for, for users by subject.
    ///
    /// The call returns when the daemon has accepted the work, not when the tokens are minted. Users who don't fit into one
    /// request (1,000, or fewer if their names are long) go in several, one after another. If one of these fails, the call
    /// throws its error and sends no further one. The tokens of the earlier ones are minted all the same.
    ///
    /// - Parameters:
    ///   - subjects: The subjects by which the identity provider knows the users.
    ///   - tenant: The tenant's name in the daemon's configuration. If nil, it is the default tenant.
    ///   - scope: The scopes, separated by spaces, in any order. If nil, they are those of the tenant's configuration.
    ///   - timeout: The time that the call may take altogether, from 0 to 300 s.
    ///   - traceparent: The place of the call in a distributed trace, as the `traceparent` header of W3C Trace Context has
    ///     it. The mints become parts of the trace. The daemon ignores a text that is not valid.
    /// - Returns: How many tokens are being minted or were there, over all requests.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled.
    public func prefetch(
        subjects: [String],
        tenant: String? = nil,
        scope: String? = nil,
        timeout: Duration = .seconds(10),
        traceparent: String? = nil
    ) async throws -> Prefetch {
        var request = Request("prefetch", tenant: tenant, scope: scope)
        request.subjects = subjects
        request.timeout = timeout
        request.traceparent = traceparent
        return try await prefetch(request)
    }

    /// Has tokens minted before they are asked for, for users by the tenant's own IDs.
    ///
    /// It differs from ``prefetch(subjects:tenant:scope:timeout:traceparent:)`` only in how the users are named.
    ///
    /// - Parameters:
    ///   - userIDs: The tenant's own IDs of the users.
    ///   - tenant: The tenant's name in the daemon's configuration. If nil, it is the default tenant.
    ///   - scope: The scopes, separated by spaces, in any order. If nil, they are those of the tenant's configuration.
    ///   - timeout: The time that the call may take altogether, from 0 to 300 s.
    ///   - traceparent: The place of the call in a distributed trace, as the `traceparent` header of W3C Trace Context has
    ///     it. The mints become parts of the trace. The daemon ignores a text that is not valid.
    /// - Returns: How many tokens are being minted or were there, over all requests.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled.
    public func prefetch(
        userIDs: [String],
        tenant: String? = nil,
        scope: String? = nil,
        timeout: Duration = .seconds(10),
        traceparent: String? = nil
    ) async throws -> Prefetch {
        var request = Request("prefetch", tenant: tenant, scope: scope)
        request.userIDs = userIDs
        request.timeout = timeout
        request.traceparent = traceparent
        return try await prefetch(request)
    }

    /// Has clients' own tokens minted before they are asked for.
    ///
    /// It differs from ``prefetch(subjects:tenant:scope:timeout:traceparent:)`` only in whose tokens they are.
    ///
    /// - Parameters:
    ///   - clients: The names of the clients in the daemon's configuration.
    ///   - tenant: The tenant's name in the daemon's configuration. If nil, it is the default tenant.
    ///   - scope: The scopes, separated by spaces, in any order. If nil, they are those of each client's configuration.
    ///   - timeout: The time that the call may take altogether, from 0 to 300 s.
    ///   - traceparent: The place of the call in a distributed trace, as the `traceparent` header of W3C Trace Context has
    ///     it. The mints become parts of the trace. The daemon ignores a text that is not valid.
    /// - Returns: How many tokens are being minted or were there, over all requests.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled.
    public func prefetch(
        clients: [String],
        tenant: String? = nil,
        scope: String? = nil,
        timeout: Duration = .seconds(10),
        traceparent: String? = nil
    ) async throws -> Prefetch {
        var request = Request("prefetch", tenant: tenant, scope: scope)
        request.clients = clients
        request.timeout = timeout
        request.traceparent = traceparent
        return try await prefetch(request)
    }
}

// MARK: Ending tokens

extension TokenCacheClient {
    /// Reports a token that the tenant's API has refused, so that the next call gets another one.
    ///
    /// The daemon drops the token only if it is the cached one. A newer token stays cached.
    ///
    /// - Parameters:
    ///   - accessToken: The refused token.
    ///   - user: The user of the token.
    ///   - tenant: The tenant's name, as it was asked for.
    ///   - scope: The scopes, as they were asked for.
    ///   - timeout: The time that the call may take, from 0 to 300 s.
    /// - Returns: Whether the token was dropped, or when to report it again.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled.
    public func invalidate(
        accessToken: String,
        of user: User,
        tenant: String? = nil,
        scope: String? = nil,
        timeout: Duration = .seconds(10)
    ) async throws -> Invalidation {
        var request = Request("invalidate", user: user, tenant: tenant, scope: scope)
        request.accessToken = accessToken
        request.timeout = timeout
        return try await reply(to: request)
    }

    /// Reports a refused token by its digest, as a web page names the token that it has.
    ///
    /// It differs from ``invalidate(accessToken:of:tenant:scope:timeout:)`` only in how the token is named.
    ///
    /// - Parameters:
    ///   - tokenSHA256: The SHA-256 of the refused token, as 64 hexadecimal digits.
    ///   - user: The user of the token.
    ///   - tenant: The tenant's name, as it was asked for.
    ///   - scope: The scopes, as they were asked for.
    ///   - timeout: The time that the call may take, from 0 to 300 s.
    /// - Returns: Whether the token was dropped, or when to report it again.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled.
    public func invalidate(
        tokenSHA256: String,
        of user: User,
        tenant: String? = nil,
        scope: String? = nil,
        timeout: Duration = .seconds(10)
    ) async throws -> Invalidation {
        var request = Request("invalidate", user: user, tenant: tenant, scope: scope)
        request.tokenSHA256 = tokenSHA256
        request.timeout = timeout
        return try await reply(to: request)
    }

    /// Drops a user's tokens at logout, and revokes them at the tenant.
    ///
    /// If the connection ends before the reply arrives, the client asks again. The second reply may say that nothing was
    /// revoked, because the first request did the work.
    ///
    /// - Parameters:
    ///   - user: The user who logs out, or the client whose tokens are revoked.
    ///   - tenant: The tenant's name in the daemon's configuration. If nil, it is the default tenant.
    ///   - scope: The scopes of the only token to revoke. If nil, all tokens of the user are revoked.
    ///   - everywhere: True if the tenant is to revoke all of the user's tokens, also those that were minted elsewhere. The
    ///     daemon's configuration must allow that.
    ///   - timeout: The time that the call may take, from 0 to 300 s.
    ///   - traceparent: The place of the call in a distributed trace, as the `traceparent` header of W3C Trace Context has
    ///     it. The revocation becomes a part of the trace. The daemon ignores a text that is not valid.
    /// - Returns: Whether there was a token, and whether the tenant has revoked it.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled.
    public func revokeTokens(
        of user: User,
        tenant: String? = nil,
        scope: String? = nil,
        everywhere: Bool = false,
        timeout: Duration = .seconds(10),
        traceparent: String? = nil
    ) async throws -> Revocation {
        var request = Request("revoke", user: user, tenant: tenant, scope: scope)
        request.everywhere = everywhere
        request.timeout = timeout
        request.traceparent = traceparent
        let revocation: Revocation = try await reply(to: request)
        if everywhere { try revocation.checkEverywhere() }
        return revocation
    }
}

// MARK: Creating users

extension TokenCacheClient {
    /// Makes sure that a user exists in the tenant and is in the right groups.
    ///
    /// The daemon looks the user up by the subject, creates the user if there is none, and adds or removes groups. It
    /// remembers the result, so that the next call with the same arguments costs no call to the tenant. Call it when a user
    /// logs in, before the first token.
    ///
    /// - Parameters:
    ///   - subject: The subject by which the identity provider knows the user, 1 to 1,024 bytes.
    ///   - name: The name of a user who is created.
    ///   - email: The e-mail address of a user who is created. No user is ever found by it.
    ///   - groups: The names of the user's groups, out of those that the daemon's configuration manages: the user is removed
    ///     from the others of these, and stays in all further groups. If nil, no group is changed.
    ///   - tenant: The tenant's name in the daemon's configuration. If nil, it is the default tenant.
    ///   - timeout: The time that the call may take, from 0 to 300 s.
    /// - Returns: The tenant's ID of the user, and what was done.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled. A user who is disabled or deleted
    ///   in the tenant is ``TokenCacheError/Code/denied`` and stays so.
    public func provision(
        subject: String,
        name: String? = nil,
        email: String? = nil,
        groups: [String]? = nil,
        tenant: String? = nil,
        timeout: Duration = .seconds(10)
    ) async throws -> ProvisionedUser {
        var request = Request("provision", user: .subject(subject), tenant: tenant)
        request.name = name
        request.email = email
        request.groups = groups
        request.timeout = timeout
        return try await reply(to: request)
    }
}

// MARK: Asking about the daemon

extension TokenCacheClient {
    /// Asks for the daemon's version, and for what this process may use.
    ///
    /// - Parameter timeout: The time that the call may take, from 0 to 300 s.
    /// - Returns: The version, and the names of the operations and tenants.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled.
    public func hello(timeout: Duration = .seconds(10)) async throws -> Hello {
        var request = Request("hello")
        request.timeout = timeout
        return try await reply(to: request)
    }
}

extension TokenCacheClient {
    private func reply<Reply: OperationReply>(to request: Request) async throws -> Reply {
        try Reply(reply: try await call(request), to: request.operation)
    }

    private func prefetch(_ request: Request) async throws -> Prefetch {
        let lines = try request.batches().map { batch throws(TokenCacheError) in try RequestLine(batch) }
        let start = NIODeadline.now()
        var total = Prefetch(queued: 0, cached: 0, refused: 0)
        for line in lines {
            let batch = try Prefetch(reply: try await call(line, before: start + line.timeout), to: request.operation)
            guard let sum = total.adding(batch) else { throw TokenCacheError.badReply.with(.answered) }
            total = sum
        }
        return total
    }
}
