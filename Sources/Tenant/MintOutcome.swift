package import Secrets
package import TokenProtocol

/// What a call for a token came to.
package enum MintOutcome: Sendable, Equatable {
    /// The tenant minted a token.
    case minted(MintedToken)
    /// The tenant refused: 400, 401, 403 or 404.
    case denied(ErrorReply.Upstream)
    /// The tenant wants no calls for a while: 429; nil where it doesn't say how long, or not so that it can be understood.
    case throttled(retryAfter: Duration?)
    /// The tenant can't be reached, takes too long, or isn't well: 5xx, 408 or 425.
    case unavailable(Unavailability)
    /// The answer makes no sense; a sentence that says why, without any of it.
    case malformed(String)
    /// The tenant refused this request, and not because of the user: any other 4xx. It says nothing of the tenant's health.
    case rejected(String)
    /// The tenant minted a token, and this machine has no memory left for it.
    case noMemory
}

/// What a call to revoke a token came to.
package enum RevocationOutcome: Sendable, Equatable {
    /// The tenant took it.
    case taken
    /// The tenant refused: 400, 401, 403 or 404.
    case refused
    /// It did not get that far, for a reason that a mint could fail for, too.
    case failed(MintOutcome)
}

/// Why a tenant is unavailable.
package struct Unavailability: Sendable, Equatable {
    /// A `Retry-After` that came with a 503.
    package enum RetryAfter: Sendable, Equatable {
        /// There was none.
        case absent
        /// It could not be understood.
        case unusable
        /// It said so long.
        case usable(Duration)
    }

    /// A sentence without secrets.
    package var reason: String
    /// The reason for which there was no answer, as a code that stays; nil: there was one.
    package var code: String?
    /// When the tenant wants to be called again.
    package var retryAfter = RetryAfter.absent

    /// Makes it.
    package init(_ reason: String, code: String? = nil, retryAfter: RetryAfter = .absent) {
        self.reason = reason
        self.code = code
        self.retryAfter = retryAfter
    }
}

/// A token as the tenant gave it.
package struct MintedToken: Sendable, Equatable {
    /// The token.
    package var accessToken: AccessToken
    /// What the tenant granted; nil where it says nothing.
    package var scope: String?
    /// How long it lives from the moment the request was sent; nil where the reply names no usable time.
    package var lifetime: Duration?

    /// Makes it.
    package init(accessToken: AccessToken, scope: String?, lifetime: Duration?) {
        self.accessToken = accessToken
        self.scope = scope
        self.lifetime = lifetime
    }
}
