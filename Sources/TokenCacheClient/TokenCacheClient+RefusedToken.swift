import NIOCore

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

extension TokenCacheClient {
    /// Gets the reply to a request for a token.
    ///
    /// A daemon that is older than `refused_token_sha256` ignores it. If the reply has the refused token, that is reported
    /// by a request of its own, and another token is requested within the same time.
    package func tokenReply(to request: Request) async throws -> Data {
        let line = try RequestLine(request)
        let deadline = NIODeadline.now() + line.timeout
        let reply = try await call(line, before: deadline)
        guard let refused = request.refusedTokenSHA256.map(RefusedToken.sha256),
            try Self.isToken(in: reply, refused)
        else { return reply }
        try await report(refused, request, before: deadline)
        var another = request
        another.refusedTokenSHA256 = nil
        let second = try await call(RequestLine(another), before: deadline)
        guard try !Self.isToken(in: second, refused) else { throw Self.noOtherToken(nil) }
        return second
    }

    private static func isToken(in reply: Data, _ refused: RefusedToken) throws(TokenCacheError) -> Bool {
        refused.isToken(try Token(reply: reply, to: "token").accessToken)
    }

    private func report(_ refused: RefusedToken, _ request: Request, before deadline: NIODeadline) async throws {
        var report = Request("invalidate", user: request.user, tenant: request.tenant, scope: request.scope)
        report.tokenSHA256 = refused.digest
        let reply = try await call(RequestLine(report), before: deadline)
        guard let delay = try Invalidation(reply: reply, to: report.operation).retryAfter else { return }
        throw Self.noOtherToken(delay)
    }

    private static func noOtherToken(_ delay: Duration?) -> TokenCacheError {
        TokenCacheError(
            .rateLimited,
            "the refused token can't be replaced yet",
            retryAfter: delay,
            requestState: .answered
        )
    }
}
