package import Secrets

/// Makes the calls that the cache orders.
///
/// It doesn't decide when.
package protocol TenantCalling: Sendable {
    /// Requests a token from the tenant.
    func mint(_ key: TokenKey) async -> MintOutcome
    /// Revokes a token at the tenant.
    func revoke(_ token: AccessToken, tenant: TenantID) async -> RevocationOutcome
}
