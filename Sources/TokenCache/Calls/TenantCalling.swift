package import Secrets
package import TokenProtocol

/// Makes the calls that the cache orders.
///
/// It doesn't decide when. A call goes with the trace context that it is given, if any.
package protocol TenantCalling: Sendable {
    /// Requests a token from the tenant.
    func mint(_ key: TokenKey, in trace: TraceContext?) async -> MintOutcome
    /// Mints the own token of one of the tenant's further clients, which the key names and which has an id.
    func mintForClient(_ key: TokenKey, clientID: String, in trace: TraceContext?) async -> MintOutcome
    /// Revokes a token at the tenant.
    func revoke(_ token: AccessToken, tenant: TenantID, in trace: TraceContext?) async -> RevocationOutcome
    /// Calls the tenant's API with a client's own token.
    func call(
        _ call: APICall,
        tenant: TenantID,
        bearer: AccessToken,
        in trace: TraceContext?
    ) async -> APIOutcome
}
