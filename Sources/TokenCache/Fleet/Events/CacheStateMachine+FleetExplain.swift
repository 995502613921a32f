import OperatorReplies
import TokenProtocol

/// The second level's part of an explanation.
extension CacheStateMachine {
    /// The sentence on a request for a token that may be in the second level.
    static var looksUp: String { "the next request asks the other machines' cache" }

    /// Returns the reason why a request waits for a new token.
    func mintReason(_ entry: Entry?, _ call: Call?, _ key: TokenKey) -> String {
        switch call?.phase {
        case .yielding: return "another machine mints the token, and a request waits for it"
        case .claiming: return "the other machines' cache is asked for the token, which is minted if it has none"
        case .queued, .sent, .pausing: return "a mint is planned or under way, and is shared"
        case nil: break
        }
        guard fleet.isConnected(key.user.tenant), !key.user.isClient else { return "a token has to be minted" }
        guard entry.map(isSuspect) == true else { return "\(Self.looksUp), and a token is minted if it has none" }
        return "news of dropped tokens was lost: \(Self.looksUp) if the cached token still holds"
    }
}
