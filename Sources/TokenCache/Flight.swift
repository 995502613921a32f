import TokenProtocol

/// One mint of one key, from its planning to its end; whoever asks for the key meanwhile shares it.
struct Flight {
    /// Whether what it brings back may be cached.
    enum Standing: Equatable {
        /// It may.
        case current
        /// The key's generation was raised: it goes to those who wait, not into the cache.
        case superseded
        /// The user logged out, asked for by this peer: it goes to nobody and is revoked.
        case revoked(Peer)
    }

    let key: TokenKey
    /// Who had it planned; nil: the daemon itself.
    let peer: Peer?
    /// Why, for the audit trail.
    let cause: AuditRecord.MintCause
    /// Set when the call was ordered: a token's life counts from there.
    var sent: Instant?
    /// Those who wait, and some who have left: the cache knows who still does.
    var waiters: [Waiter] = []
    var waiting = 0
    var standing = Standing.current
    /// Whether it was planned to refresh a living token.
    let isRefresh: Bool
    /// Whether nobody's request planned it.
    let isUnasked: Bool
    /// Whose the token will be, if its key has no owner yet.
    var owner: PeerUID
    /// When somebody last asked for it; nil: nobody has since it was planned.
    var askedAt: Instant?
    /// Whether it was sent a second time with a new secret; there is no third.
    var hasTriedNewSecret = false
    /// Which tenant of that name it was sent to; nil: it was not sent.
    var tenantNumber: Int?

    init(key: TokenKey, purpose: Governor.Purpose, peer: Peer?, askedAt: Instant?) {
        self.key = key
        self.peer = peer
        owner = peer?.uid ?? EntryStore.nobody
        self.askedAt = askedAt
        switch purpose {
        case .caller: (isRefresh, isUnasked, cause) = (false, false, .caller)
        case .prefetch: (isRefresh, isUnasked, cause) = (false, false, .prefetch)
        case .probe: (isRefresh, isUnasked, cause) = (false, true, .probe)
        case .refresh: (isRefresh, isUnasked, cause) = (true, true, .refresh)
        }
    }

    /// Adds one who waits, dropping those who left where they have become the greater part.
    mutating func join(_ waiter: Waiter, isWaiting: (Waiter) -> Bool) {
        if waiters.count > 2 * waiting + 64 { waiters.removeAll { !isWaiting($0) } }
        waiters.append(waiter)
        waiting += 1
    }
}

/// One caller who waits for a mint.
struct WaitingCaller {
    /// The mint.
    let call: CallID
    /// The tenant that it goes to.
    let tenant: String
    /// Whose caller it is.
    let peer: PeerUID
    /// When the caller stops waiting.
    let deadline: Instant
    /// Whether a living token that has too little left may stand in where the mint fails.
    let takesLivingToken: Bool
}

/// The revocation of one token at the tenant.
struct Revocation {
    let user: UserKey
    let scopes: ScopeSet
    let token: EncodedToken
    /// Who logged the user out.
    let peer: Peer
    /// The logout that it belongs to; nil: nobody waits for it.
    let logout: Waiter?
    /// Which tenant of that name it was sent to; nil: it was not sent.
    var tenantNumber: Int?

    /// The tenant's name.
    var tenant: String { user.tenant }
}

/// A logout that waits for the tenant: for how many answers yet, and whether all were good so far.
struct Logout {
    var open: Int
    var allTaken = true
    let deadline: Instant
}
