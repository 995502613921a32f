package import Secrets
package import TokenProtocol

/// A call that is to be made now, in a trace or in none.
package enum CallOrder: Sendable, Equatable {
    /// Mint a token.
    case mint(CallID, TokenKey, TraceContext?)
    /// Mint the own token of one of the tenant's further clients.
    ///
    /// The client's id is that of the configuration which the call belongs to. A reload may have changed it since.
    case mintForClient(CallID, TokenKey, clientID: String, TraceContext?)
    /// Revoke a token.
    case revoke(CallID, TenantID, AccessToken, TraceContext?)
    /// Call the tenant's API with a client's own token.
    case api(CallID, TenantID, APICall, bearer: AccessToken, TraceContext?)
}
