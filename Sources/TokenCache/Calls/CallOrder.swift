package import Secrets
package import TokenProtocol

/// A call that is to be made now, in a trace or in none.
package enum CallOrder: Sendable, Equatable {
    /// Mint a token.
    case mint(CallID, TokenKey, TraceContext?)
    /// Revoke a token.
    case revoke(CallID, TenantID, AccessToken, TraceContext?)
}
