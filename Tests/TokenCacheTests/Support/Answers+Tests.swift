import Secrets
import TokenCache
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension RequestAnswer {
    /// The token that is served, with or without a background refresh.
    var served: TokenReply? {
        switch self {
        case .serve(let reply), .serveAndRefresh(let reply): reply
        case .wait, .fail: nil
        }
    }

    /// The error of the answer.
    var error: ErrorReply? {
        if case .fail(let error) = self { error } else { nil }
    }

    /// True if a refresh was queued in the background.
    var refreshes: Bool {
        if case .serveAndRefresh = self { true } else { false }
    }
}

extension Reply {
    /// The error of the reply.
    var error: ErrorReply? {
        if case .error(let error) = self { error } else { nil }
    }

    /// The token of the reply.
    var token: TokenReply? {
        if case .token(let token) = self { token } else { nil }
    }
}

extension TokenReply {
    private struct Line: Decodable {
        let accessToken: String
        let expiresIn: Int
        let scope: String
        let source: String
        let stale: Bool?
        let minTTLMet: Bool?

        enum CodingKeys: String, CodingKey {
            case accessToken = "access_token"
            case expiresIn = "expires_in"
            case scope
            case source
            case stale
            case minTTLMet = "min_ttl_met"
        }
    }

    /// Reads the line of a hit.
    init(line output: inout OutputBuffer) throws {
        let line = try JSONDecoder().decode(Line.self, from: unsafe output.drain { unsafe Data($0) })
        self.init(
            token: GrantedToken(AccessToken(line.accessToken), scope: line.scope, expiresAt: WallTime(seconds: 0)),
            expiresIn: line.expiresIn,
            source: line.source == "cache" ? .cache : .tenant,
            isStale: line.stale ?? false,
            meetsMinTTL: line.minTTLMet ?? true
        )
    }
}
