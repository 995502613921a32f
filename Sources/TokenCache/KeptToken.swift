package import TokenProtocol

/// A cached token as it outlives the daemon.
package struct KeptToken: Sendable {
    /// What it is cached under.
    package var key: TokenKey
    /// The tenant and the client that it was minted under: another one's must not be served.
    package var identity: TenantPolicy.Identity
    /// The token.
    package var token: EncodedToken
    /// When it was asked of the tenant.
    package var sent: Instant
    /// How long it lives from then on.
    package var lifetime: Duration
    /// What was drawn for it, from 0 up to 1.
    package var draw: Double
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
        key: TokenKey,
        identity: TenantPolicy.Identity,
        token: EncodedToken,
        sent: Instant,
        lifetime: Duration,
        draw: Double,
        arrived: Instant,
        lastAsked: Instant?,
        cameUnasked: Bool,
        replacedReported: Bool,
        owner: PeerUID
    ) {
        self.key = key
        self.identity = identity
        self.token = token
        self.sent = sent
        self.lifetime = lifetime
        self.draw = draw
        self.arrived = arrived
        self.lastAsked = lastAsked
        self.cameUnasked = cameUnasked
        self.replacedReported = replacedReported
        self.owner = owner
    }
}

/// Keeps tokens where the next daemon finds them; it is called on the cache's executor and must not wait.
package protocol TokenKeeper: AnyObject {
    /// Hands over what an earlier daemon has kept, what was asked for last at the end; what isn't taken is dropped.
    func handOver(to take: (_ place: Int, _ token: KeptToken) -> Bool)
    /// Keeps a token: where, or nil where that can't be done.
    func keep(_ token: KeptToken) -> Int?
    /// Drops what is kept at a place, of which nothing is left when nobody has the token any more.
    ///
    /// The caller must still have it, as the place may be where it lies.
    func drop(_ place: Int)
    /// Drops all that is kept, and is not used any more.
    func end()
    /// Notes when the token at a place was last asked for.
    func note(_ place: Int, lastAsked: Instant)
    /// Of all files that it wrote, those before this one are gone.
    ///
    /// - Returns: Whether what it couldn't keep before can be kept now.
    func stored(_ generation: UInt64) -> Bool
}

/// An entry came into the cache or went.
enum EntryChange {
    case came(Entry, slot: Int)
    /// The token that was kept at this place.
    case went(EncodedToken, place: Int)
}
