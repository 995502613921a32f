package import TokenProtocol

/// The key under which a token is cached: tenant, user and scopes, in separate fields that can't be confused.
package struct TokenKey: Sendable, Hashable {
    /// The tenant and the user.
    package let user: UserKey
    /// The requested scopes, never empty: a request without scopes means the tenant's default.
    package let scopes: ScopeSet

    /// Creates a key for a user.
    package init(user: UserKey, scopes: ScopeSet) {
        self.user = user
        self.scopes = scopes
    }

    /// Creates a key from its parts.
    package init(tenant: TenantID, user: UserLookup, scopes: ScopeSet) {
        self.init(user: UserKey(tenant: tenant, user: user), scopes: scopes)
    }
}
