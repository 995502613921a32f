package import TokenProtocol

/// The reason why a call to a tenant failed.
package enum CallFailure: Sendable, Equatable {
    /// The tenant denied the user or the client: 400, 401, 403 or 404.
    ///
    /// `secretChanged` is true if the client's secret has been replaced since the call was sent. Only the owner of the
    /// secrets knows this and sets it. With an old secret, the denial says nothing about the user.
    case denied(ErrorReply.Upstream, secretChanged: Bool = false)
    /// The tenant wants no calls for a while: 429.
    ///
    /// The time is nil if the reply names none, or none that can be understood.
    case throttled(retryAfter: Duration?)
    /// The tenant can't be reached, takes too long or isn't well: 5xx, 408 or 425.
    ///
    /// The text is a sentence without secrets. The code, which stays the same between versions, names the reason for
    /// which there was no reply, and is nil where there was one.
    case unavailable(String, code: String? = nil, retryAfter: RetryAfter? = nil)
    /// The tenant's reply is malformed.
    ///
    /// The text is a sentence on the reason, without any part of the reply.
    case malformed(String)
    /// The tenant rejected this request for a reason other than the user: any other 4xx.
    ///
    /// It says nothing of the tenant's health.
    case rejected(String)
    /// The tenant minted a token, and this machine has no memory left for it.
    ///
    /// It says nothing of the tenant's health.
    case noMemory

    /// True if the tenant may have done what the call asked for, though it didn't say so.
    var mayBeDone: Bool {
        switch self {
        case .unavailable, .malformed: true
        case .denied, .throttled, .rejected, .noMemory: false
        }
    }

    /// A `Retry-After` in the reply of a tenant that isn't well (503).
    package enum RetryAfter: Sendable, Equatable {
        /// The tenant is to be called again after this time.
        case usable(Duration)
        /// The value can't be understood.
        case unusable
    }
}
