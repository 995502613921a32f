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

    /// Creates the key of a user by the tenant's own id.
    init(tenant: TenantID, userID: String) {
        self.init(tenant: tenant, user: UserLookup(field: .userID, value: userID))
    }
}
