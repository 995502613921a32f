package import TokenProtocol

/// An instant of the clock that goes on while the machine is suspended; expiry and refresh are decided on it alone.
package typealias Instant = ContinuousClock.Instant

/// The user id under which a peer runs, as the kernel tells it: apps are told apart by it.
package typealias PeerUID = UInt32

/// A user of one tenant: what a logout or an eviction of all scopes names.
package struct UserKey: Sendable, Hashable {
    /// The tenant.
    package let tenant: TenantID
    /// The user.
    package let user: UserLookup

    /// Names a user of a tenant.
    package init(tenant: TenantID, user: UserLookup) {
        self.tenant = tenant
        self.user = user
    }
}

/// What a token is cached under: tenant, user and scopes, each a part of its own that no other key can imitate.
package struct TokenKey: Sendable, Hashable {
    /// The tenant and the user.
    package let user: UserKey
    /// The scopes that are asked for; never empty: no scope in a request means the tenant's own.
    package let scopes: ScopeSet

    /// Makes a key.
    package init(user: UserKey, scopes: ScopeSet) {
        self.user = user
        self.scopes = scopes
    }

    /// Makes a key of its parts.
    package init(tenant: TenantID, user: UserLookup, scopes: ScopeSet) {
        self.init(user: UserKey(tenant: tenant, user: user), scopes: scopes)
    }
}
