import TokenCache
import TokenProtocol

extension MintOutcome {
    var isMinted: Bool { if case .minted = self { true } else { false } }

    /// The failure, if it is one.
    var failure: CallFailure? { if case .failed(let failure) = self { failure } else { nil } }

    /// The tenant's own words, if it denied the call.
    var upstream: ErrorReply.Upstream? {
        if case .failed(.denied(let upstream, _)) = self { upstream } else { nil }
    }

    /// The code of the reason for which there was no answer.
    var code: String? { if case .failed(.unavailable(_, let code, _)) = self { code } else { nil } }

    /// The sentence for callers.
    var reason: String? {
        switch failure {
        case .unavailable(let reason, _, _), .malformed(let reason), .rejected(let reason): reason
        case .noMemory, .denied, .throttled, nil: nil
        }
    }
}
