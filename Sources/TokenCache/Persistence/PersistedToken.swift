package import TokenProtocol

/// A cached token as it outlives the daemon.
package struct PersistedToken: Sendable {
    /// The tenant's name in the configuration.
    package var tenant: String
    /// The host and the client that it was minted under: another one's must not be served.
    package var identity: TenantPolicy.Identity
    /// The user.
    package var user: UserLookup
    /// The scopes that were asked for.
    package var scopes: ScopeSet
    /// The token.
    package var token: EncodedToken
    /// When it was asked of the tenant.
    package var sent: Instant
    /// How long it lives from then on.
    package var lifetime: Duration
    /// What was drawn for it, from 0 up to 1.
    package var jitterFraction: Double
    /// When it came.
    package var arrived: Instant
    /// When it was last asked for; nil: never.
    package var lastAsked: Instant?
    /// Whether nobody asked for its mint.
    package var cameUnasked: Bool
    /// Whether it took the place of one that an app had reported as refused.
    package var replacedReported: Bool
    /// Whose it is.
    package var owner: PeerUID

    /// Names its parts.
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
        lastAsked: Instant?,
        cameUnasked: Bool,
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
        self.lastAsked = lastAsked
        self.cameUnasked = cameUnasked
        self.replacedReported = replacedReported
        self.owner = owner
    }
}

/// Persists tokens where the next daemon finds them; it is called on the cache's executor and must not wait.
package protocol TokenStore: AnyObject {
    /// Hands over what an earlier daemon has persisted, what was asked for last at the end; what isn't taken is removed.
    func restore(to take: (_ recordID: Int, _ token: PersistedToken) -> Bool)
    /// Persists a token: under which number, or nil where that can't be done.
    func persist(_ token: PersistedToken) -> Int?
    /// Removes a record, of which nothing is left when nobody has the token any more.
    ///
    /// The caller must still have it, as the record may be where it lies.
    func remove(_ recordID: Int)
    /// Removes all records, and is not used any more.
    func end()
    /// Notes when the token of a record was last asked for.
    func note(_ recordID: Int, lastAsked: Instant)
    /// Of all files that it wrote, those before this one are gone.
    ///
    /// - Returns: Whether what it couldn't persist before can be persisted now.
    func stored(_ generation: UInt64) -> Bool
}

/// What the store of persisted tokens is told.
package enum PersistenceChange: Equatable {
    /// An entry came into the cache and is to be persisted, if it is still there.
    case store(EntryReference)
    /// The token that was persisted under this number is gone.
    case remove(EncodedToken, recordID: Int)
    /// The token of a record was last asked for then.
    case use(recordID: Int, Instant)

    var isStore: Bool { if case .store = self { true } else { false } }

    static func store(_ entry: Entry, slot: Int) -> PersistenceChange {
        .store(EntryReference(entry: entry, slot: slot))
    }
}

/// An entry of the cache, and the slot in which it was.
package struct EntryReference: Equatable {
    let entry: Entry
    let slot: Int

    /// Whether it is the very same.
    package static func == (left: EntryReference, right: EntryReference) -> Bool {
        left.entry === right.entry && left.slot == right.slot
    }
}
