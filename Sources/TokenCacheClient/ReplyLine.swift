#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One line of the daemon, as far as every reply is alike.
struct ReplyLine: Decodable {
    let id: Int?
    private let code: String?
    private let text: String?
    private let retryAfter: Double?
    private let upstream: TokenCacheError.Upstream?

    private enum CodingKeys: String, CodingKey {
        case id
        case code = "error"
        case text = "error_description"
        case retryAfter = "retry_after"
        case upstream
    }

    /// The error that the line tells of; nil: it is an answer.
    var error: TokenCacheError? {
        guard let code else { return nil }
        return TokenCacheError(.refused(code), text ?? code, retryAfter: retryAfter, upstream: upstream)
    }
}
