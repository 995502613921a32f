import TokenProtocol

extension CacheStateMachine {
    /// The answer that a request gets.
    struct Judgement: Equatable {
        enum Verdict: Equatable {
            /// The cached token.
            case serve(meetsMinTTL: Bool)
            /// The cached token, and one refresh starts in the background.
            case serveAndRefresh
            /// A new token, for which the caller waits.
            case mint
            /// No mint: the tenant has denied this user, or a mint of this key has just failed.
            case negative(ErrorReply)
            /// No mint: it could not be sent before the caller's timeout.
            case paced(ErrorReply)
            /// The token of another machine, for which the second level is asked, or this error if it has none.
            case look(ErrorReply)
            /// No mint: a limit of the caller's or the user's is reached.
            case limited(MintLimit)
        }

        /// A limit that keeps a request from a mint.
        enum MintLimit: Equatable {
            /// The quota of waiting requests, or of prefetches, is used up.
            case quota
            /// The user has as many mints under way as one user may have.
            case mintsPerUser
            /// The caller's allowance of forced mints is used up.
            case forcedMints(ErrorReply)

            /// The reply of a request that the limit keeps from a mint.
            var error: ErrorReply {
                switch self {
                case .quota: .tooManyWaiting
                case .mintsPerUser: .tooManyMints
                case .forcedMints(let error): error
                }
            }
        }

        var verdict: Verdict
        /// True if the cached token is served, marked as stale, when there is no new one.
        var mayServeStale = false
    }
}
