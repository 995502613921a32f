package import TokenProtocol

/// The end of a request, by which it is counted.
package enum RequestOutcome: Sendable, Hashable {
    /// A token from the cache.
    case hit
    /// A token that was minted for this request or for another one at the same time.
    case minted
    /// A cached token with less time left than wanted, because minting failed.
    case stale
    /// The answer to another operation.
    case ok
    /// An error.
    case error(ErrorReply.Code)
    /// No answer, as the connection was closed before it.
    case cancelled

    /// The outcome of a request that gets a reply.
    package init(_ reply: Reply) {
        switch reply {
        case .token(let token) where token.isStale: self = .stale
        case .token(let token): self = token.source == .cache ? .hit : .minted
        case .error(let error): self = .error(error.code)
        default: self = .ok
        }
    }

    /// The value of the label `outcome`.
    package var label: String {
        switch self {
        case .hit: "hit"
        case .minted: "minted"
        case .stale: "stale"
        case .ok: "ok"
        case .error(let code): code.rawValue
        case .cancelled: "cancelled"
        }
    }
}
