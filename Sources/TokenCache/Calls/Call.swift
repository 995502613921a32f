import TokenProtocol

/// One call to a tenant, from its planning to its end: a mint of a key, shared by all who ask for it meanwhile, or the
/// revocation of a token.
struct Call {
    /// How far it has got.
    enum Phase {
        /// It waits for its turn.
        case queued(Governor.Ticket)
        /// The tenant has been asked; a token's life counts from there.
        case sent(at: Instant)
    }

    /// What it does.
    enum Work {
        case mint(Mint)
        case revocation(Revocation)
    }

    let id: CallID
    let tenant: TenantID
    /// Who had it planned; nil: the daemon itself.
    let peer: Peer?
    var phase: Phase
    var work: Work
    /// Those who wait for a mint; those who wait for a revocation know it themselves.
    var waiters = Waiters.List()

    var mint: Mint? {
        get { if case .mint(let mint) = work { mint } else { nil } }
        set { if let newValue { work = .mint(newValue) } }
    }

    var revocation: Revocation? {
        get { if case .revocation(let revocation) = work { revocation } else { nil } }
        set { if let newValue { work = .revocation(newValue) } }
    }

    /// When it was sent; nil: it waits for its turn.
    var sent: Instant? { if case .sent(let time) = phase { time } else { nil } }

    /// Its place in the queue; nil: it was sent.
    var ticket: Governor.Ticket? { if case .queued(let ticket) = phase { ticket } else { nil } }
}

/// What a call has to do that mints a token.
struct Mint {
    /// What becomes of the token.
    enum Fate: Equatable {
        /// It is cached.
        case current
        /// The key's generation was raised: it goes to those who wait, not into the cache.
        case superseded
        /// The user logged out, asked for by this peer: it goes to nobody and is revoked.
        case revoked(Peer)
    }

    /// A refresh of a living token.
    struct Refresh {
        /// When the token ends.
        let tokenEnds: Instant
        /// When its timer goes off: from there on it is urgent.
        let deadline: Instant
        /// Before when it is not tried again; nil: it has not failed.
        var notBefore: Instant?
        /// The last pause before a new try, and the backoff in which it was drawn.
        var backoff: Backoff.Pause?
    }

    let key: TokenKey
    /// Why, for the audit trail.
    let cause: AuditRecord.MintCause
    /// Set where a living token is renewed.
    var refresh: Refresh?
    var fate = Fate.current
    /// Whose the token will be, if its key has no owner yet.
    var owner: PeerUID
    /// When somebody last asked for it; nil: nobody has since it was planned.
    var askedAt: Instant?
    /// Whether it finds out about the tenant's client: then it goes first, and is wanted whoever waits.
    var isProbe = false
    /// Whether it was sent a second time with a new secret; there is no third.
    var hasTriedNewSecret = false

    /// Whether nobody's request planned it.
    var isUnasked: Bool { cause == .refresh || cause == .probe }
}

/// What a call has to do that revokes a token.
struct Revocation {
    let user: UserKey
    let scopes: ScopeSet
    let token: EncodedToken
    /// When the token ends by itself.
    let expiry: Instant
    /// The logout that waits for it; nil: none does, or none any more.
    var logout: Waiters.ID?
    /// Its place among all tokens that are to be revoked.
    var timer: IndexedHeap<Instant, CallID>.Handle
}

/// Why a call ended; there is one function that ends calls, and everyone who has to know is told by it.
enum CallEnd {
    /// The tenant minted a token.
    case minted(EncodedToken, TokenLife)
    /// The mint failed.
    case failed(CallFailure)
    /// The tenant answered a revocation, or did not.
    case revocation(RevocationOutcome)
    /// It was not sent: nobody wants it any more.
    case unwanted
    /// It was not sent: the user has logged out.
    case loggedOut
    /// It was not sent: the token that it revokes or renews has ended by itself.
    case expired
    /// It was not sent: too many calls wait that nobody waits for.
    case noRoom
    /// It was not sent: the tenant is not configured any more.
    case retired(ErrorReply)
    /// The daemon ends, whether it was sent or not.
    case shutDown
}
