/// The members of a request that name a key: user, tenant and scopes.
package struct KeyRequest: Sendable, Equatable {
    /// The user.
    package var user: UserLookup
    /// The tenant's name in the configuration, or nil for the default one.
    package var tenant: String?
    /// The scopes, or nil for the tenant's own, or all of the user's, as the operation defines.
    package var scopes: ScopeSet?

    /// Creates a request for a key.
    package init(user: UserLookup, tenant: String? = nil, scopes: ScopeSet? = nil) {
        self.user = user
        self.tenant = tenant
        self.scopes = scopes
    }
}
