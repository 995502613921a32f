#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One line of the daemon, as far as every reply is alike.
struct ReplyLine: Decodable {
    /// The id, if it is one of ours.
    let id: Int?
    /// Whether it is the answer to something, ours or not.
    let hasID: Bool
    /// The error that the line tells of; nil: it is an answer.
    let error: TokenCacheError?

    private enum CodingKeys: String, CodingKey {
        case id
        case code = "error"
        case text = "error_description"
        case retryAfter = "retry_after"
        case upstream
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        hasID = members.contains(.id)
        id = try? members.decode(Int.self, forKey: .id)
        guard let code = try? members.decode(String.self, forKey: .code) else {
            error = nil
            return
        }
        error = TokenCacheError(
            TokenCacheError.Code(rawValue: code),
            (try? members.decode(String.self, forKey: .text)) ?? code,
            retryAfter: try? members.decode(Double.self, forKey: .retryAfter),
            upstream: try? members.decode(TokenCacheError.Upstream.self, forKey: .upstream)
        )
    }
}
