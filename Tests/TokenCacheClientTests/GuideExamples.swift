import TokenCacheClient

// The code of the Swift client's guide and README, compiled. GuideTests compares it with their text.

// MARK: The application around the examples

struct Response: Equatable {
    var status: Int
    var headers: [String: String] = [:]
}

/// The tenant's API, as an application calls it.
struct API: Sendable {
    var respond: @Sendable (_ path: String, _ token: String) -> Response

    func get(_ path: String, bearer token: String) async throws -> Response { respond(path, token) }
}

/// The data that an identity provider gives about a user who logs in.
struct Login: Sendable {
    var subject: String
    var name: String
    var email: String
    var region: String
}

/// An application's log.
struct Log: Sendable {
    func notice(_ text: String) {}
    func warning(_ text: String) {}
    func error(_ text: String) {}
}

private let logger = Log()

// MARK: The examples

enum Configuring {
    static func firstToken() async throws -> String {
        let cache = TokenCacheClient()
        let token = try await cache.token(for: .subject("auth0|alice"))
        let header = "Bearer \(token.accessToken)"
        return header
    }

    static func shortest() async throws -> String {
        let cache = TokenCacheClient()
        let token = try await cache.token(for: .subject("auth0|alice"))
        return token.accessToken
    }

    static func otherSocket() -> TokenCacheClient {
        let cache = TokenCacheClient(path: "/run/my-app/tokencached.sock")
        return cache
    }

    static func longerGrace() -> TokenCacheClient {
        let cache = TokenCacheClient(restartGrace: .seconds(10))
        return cache
    }
}

struct Backend: Sendable {
    let cache: TokenCacheClient
    let api: API

    func byUserID() async throws -> String {
        let token = try await cache.token(for: .userID("63059a8f5b2f3d0012c7a4e1"))
        return token.accessToken
    }

    func inThreeSeconds(_ user: TokenCacheClient.User) async throws -> String {
        let token = try await cache.token(for: user, timeout: .seconds(3))
        return token.accessToken
    }

    func forTenMinutes(_ user: TokenCacheClient.User) async throws -> String {
        let token = try await cache.token(for: user, minTTL: .seconds(600))
        return token.accessToken
    }

    func prefetch() async throws {
        let state = try await cache.prefetch(subjects: ["auth0|alice", "auth0|bob"])
        print("\(state.queued) tokens are being minted, \(state.cached) are there")
    }

    func items(of user: TokenCacheClient.User) async throws -> Response {
        let token = try await cache.token(for: user)
        let response = try await api.get("/api/v1/items", bearer: token.accessToken)
        guard response.status == 401 else { return response }
        let another = try await cache.token(for: user, refusedToken: .accessToken(token.accessToken))
        return try await api.get("/api/v1/items", bearer: another.accessToken)
    }

    func accessToken(of subject: String, refused digest: String?) async throws -> String {
        let refused = digest.map(TokenCacheClient.RefusedToken.sha256)
        return try await cache.token(for: .subject(subject), refusedToken: refused).accessToken
    }

    func ownToken() async throws -> String {
        let token = try await cache.token(for: .client("backend"))
        return token.accessToken
    }

    func logIn(_ login: Login) async throws {
        let user = try await cache.provision(
            subject: login.subject,
            name: login.name,
            email: login.email,
            groups: ["portal-\(login.region)"]
        )
        if user.created {
            logger.notice("\(login.subject) is new in the tenant, as \(user.userID)")
        }
    }

    func logOutEverywhere(_ user: TokenCacheClient.User) async throws {
        let result = try await cache.revokeTokens(of: user, everywhere: true)
        logger.notice("\(result.upstreamRevoked ?? 0) tokens of the user were revoked")
    }

    func logOut(_ user: TokenCacheClient.User) async throws {
        let result = try await cache.revokeTokens(of: user)
        if !result.revokedUpstream {
            logger.warning("the tenant has not revoked a token, which is valid until it expires")
        }
    }

    func response(to error: TokenCacheError) -> Response {
        switch error.code {
        case .forbidden:
            return Response(status: 403)
        case .invalidRequest, .unknownTenant, .unsupportedOperation:
            return Response(status: 500)
        default:
            let delay = error.retryAfter ?? .seconds(1)
            return Response(status: 503, headers: ["retry-after": "\(delay.components.seconds + 1)"])
        }
    }

    func noticeLogoutThatWasNotSent(of user: TokenCacheClient.User) async throws {
        do {
            _ = try await cache.revokeTokens(of: user)
        } catch let error as TokenCacheError where error.requestState == .notSent {
            logger.error("the user's tokens are still cached: \(error)")
        }
    }

    func token(for name: String) async throws -> TokenCacheClient.Token? {
        do {
            return try await cache.token(for: .subject("auth0|alice"), timeout: .seconds(3))
        } catch let error as TokenCacheError where error.code == .denied {
            // The tenant does not know this user, or does not accept the daemon's OAuth client.
            logger.error("\(error)")
        }
        return nil
    }

    func shutDown() async {
        await cache.close()
    }
}

protocol AccessTokens: Sendable {
    func accessToken(of subject: String) async throws -> String
}

extension TokenCacheClient: AccessTokens {
    func accessToken(of subject: String) async throws -> String {
        try await token(for: .subject(subject)).accessToken
    }
}

struct FixedAccessTokens: AccessTokens {
    var result: Result<String, TokenCacheError>

    func accessToken(of subject: String) async throws -> String { try result.get() }
}

enum Doubles {
    static var throttled: FixedAccessTokens {
        let throttled = FixedAccessTokens(
            result: .failure(TokenCacheError(.rateLimited, "too many calls", retryAfter: .seconds(13)))
        )
        return throttled
    }
}
