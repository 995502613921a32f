package import Secrets

/// A call that is to be made now.
package enum CallOrder: Sendable, Equatable {
    /// Mint a token.
    case mint(CallID, TokenKey)
    /// Revoke a token.
    case revoke(CallID, TenantID, AccessToken)
}
