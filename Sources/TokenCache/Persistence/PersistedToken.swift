package import TokenProtocol

/// A cached token as it is persisted for the next daemon.
package struct PersistedToken: Sendable {
    /// The tenant's name in the configuration.
    package var tenant: String
    /// The host and the client that it was minted under.
    ///
    /// It must not be served under another.
    package var identity: TenantPolicy.Identity
    /// The user.
    package var user: UserLookup
    /// The requested scopes.
    package var scopes: ScopeSet
    /// The token.
    package var token: EncodedToken
    /// The time at which it was requested from the tenant.
    package var sent: Instant
    /// The lifetime from then on.
    package var lifetime: Duration
    /// The random number of this token, from 0 up to 1.
    package var jitterFraction: Double
    /// The time at which it was received.
    package var arrived: Instant
    /// The time of the last request for it, or nil if there was none.
    package var lastUsed: Instant?
    /// True if no request caused its mint.
    package var isUnrequested: Bool
    /// True if it replaced a token that an app had reported as rejected.
    package var replacedReported: Bool
    /// The uid that owns it.
    package var owner: PeerUID

    /// Creates a persisted token.
    package init(
        tenant: String,
        identity: TenantPolicy.Identity,
        user: UserLookup,
        scopes: ScopeSet,
        token: EncodedToken,
        sent: Instant,
        lifetime: Duration,
        jitterFraction: Double,
        arrived: Instant,
        lastUsed: Instant?,
        isUnrequested: Bool,
        replacedReported: Bool,
        owner: PeerUID
    ) {
        self.tenant = tenant
        self.identity = identity
        self.user = user
        self.scopes = scopes
        self.token = token
        self.sent = sent
        self.lifetime = lifetime
        self.jitterFraction = jitterFraction
        self.arrived = arrived
        self.lastUsed = lastUsed
        self.isUnrequested = isUnrequested
        self.replacedReported = replacedReported
        self.owner = owner
    }
}
