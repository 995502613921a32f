import TokenProtocol

/// The state of a call that mints a token.
struct Mint {
    /// The use of the minted token.
    enum Fate: Equatable {
        /// It is cached.
        case current
        /// The key's generation was raised: the waiting requests get the token, the cache doesn't.
        case superseded
        /// This peer, or one of another machine, has logged the user out: the token is revoked, and nobody gets it.
        case revoked(Peer?)
    }

    /// The refresh of a valid token.
    struct Refresh {
        /// The expiry of the token that is refreshed.
        let tokenEnds: Instant
        /// The refresh deadline of the token, from which on the refresh is urgent.
        let deadline: Instant
        /// The time before which it is not retried, or nil if it has not failed.
        var notBefore: Instant?
        /// The last pause before a retry.
        var backoff: Backoff.Pause?
    }

    let key: TokenKey
    /// The cause, for the audit trail.
    let cause: AuditRecord.MintCause
    /// Set if a valid token is refreshed.
    var refresh: Refresh?
    var fate = Fate.current
    /// The owner of the token, if its key has none yet.
    var owner: PeerUID
    /// The time of the last request for it, or nil if there was none since it was queued.
    var requestedAt: Instant?
    /// True if it probes the tenant's client.
    ///
    /// Such a mint goes first, and is sent even if no request waits.
    var isProbe = false
    /// The number of the round through a tenant's prefetch file that has queued it, or nil for any other mint.
    var round: UInt64?
    /// True if it was retried with a new secret.
    ///
    /// It is retried only once.
    var hasTriedNewSecret = false
    /// The part that concerns the second level.
    var fleet = FleetMint()

    /// True if its token is shared with other machines.
    ///
    /// A probe is to show what the tenant answers, and the own tokens of clients are not shared.
    var isShared: Bool { !isProbe && !key.user.isClient }

    /// True if no request caused it.
    var isUnrequested: Bool { cause == .refresh || cause == .probe || round != nil }
}
