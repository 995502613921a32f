package import Secrets
package import TokenProtocol

/// A call that is to be made now, in a trace or in none.
package enum CallOrder: Sendable, Equatable {
    /// Mint a token.
    case mint(CallID, TokenKey, TraceContext?)
    /// Revoke a token.
    case revoke(CallID, TenantID, AccessToken, TraceContext?)
    /// Call the tenant's API with a client's own token.
    case api(CallID, TenantID, APICall, bearer: AccessToken, TraceContext?)
}
