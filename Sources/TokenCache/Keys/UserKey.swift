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

    /// The key of one of the tenant's further clients.
    package init(tenant: TenantID, client name: String) {
        self.init(tenant: tenant, user: UserLookup(field: .client, value: name))
    }

    /// True if the key is for the own tokens of a further client, and not for a user's.
    var isClient: Bool { user.field == .client }

    /// The name of the further client whose own tokens the key is for, or nil for a user.
    package var clientName: String? { isClient ? String(decoding: user.value, as: UTF8.self) : nil }
}
