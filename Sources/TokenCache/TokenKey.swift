package import TokenProtocol

// TokenCache: whose token is cached, when it is minted, and what is answered meanwhile.
//
// Why it exists: the tenant is slow, counts calls and gives out tokens that live for hours. This module keeps them, has
// each key minted by one call however many ask, refreshes ahead of time what is in use, and paces the calls. It promises
// that nothing is served within its safety margin, that a failure never replaces a living token, and that what was asked
// before an invalidation is never cached after it.
//
// Every decision is made by ``CacheStateMachine``, a value that is told the time and never looks at a clock; the actor
// ``TokenCache`` only performs what it says.

/// An instant of the clock that goes on while the machine is suspended; expiry and refresh are decided on it alone.
package typealias Instant = ContinuousClock.Instant

/// The user id under which a peer runs, as the kernel tells it: apps are told apart by it.
package typealias PeerUID = UInt32

/// A user of one tenant: what a logout or an eviction of all scopes names.
package struct UserKey: Sendable, Hashable {
    /// The tenant's name in the configuration.
    package let tenant: String
    /// The user.
    package let user: UserLookup

    /// Names a user of a tenant.
    package init(tenant: String, user: UserLookup) {
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
    package init(tenant: String, user: UserLookup, scopes: ScopeSet) {
        self.init(user: UserKey(tenant: tenant, user: user), scopes: scopes)
    }
}
