package import TokenProtocol

/// A user of one tenant, with all scopes.
package struct UserKey: Sendable, Hashable {
    /// The tenant.
    package let tenant: TenantID
    /// The user.
    package let user: UserLookup

    /// Creates a user's key.
    package init(tenant: TenantID, user: UserLookup) {
        self.tenant = tenant
        self.user = user
    }
}
