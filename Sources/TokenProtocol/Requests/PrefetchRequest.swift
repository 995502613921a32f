/// The members of `prefetch`.
package struct PrefetchRequest: Sendable, Equatable {
    /// The users, 1 to 1,000, in the order of the request.
    package var users: [UserLookup]
    /// The tenant's name in the configuration, or nil for the default one.
    package var tenant: String?
    /// The scopes, or nil for the tenant's own.
    package var scopes: ScopeSet?

    /// Creates a request for tokens ahead of time.
    package init(users: [UserLookup], tenant: String? = nil, scopes: ScopeSet? = nil) {
        self.users = users
        self.tenant = tenant
        self.scopes = scopes
    }
}
