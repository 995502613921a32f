package import Secrets

/// The outcome of a call for a token.
package enum MintOutcome: Sendable, Equatable {
    /// The tenant minted a token, whose lifetime counts from the moment before the call.
    ///
    /// The scope is nil if the tenant doesn't name what it granted, the lifetime if the reply has no usable time.
    case minted(AccessToken, scope: String?, lifetime: Duration?)
    /// There is no token.
    case failed(CallFailure)
}
