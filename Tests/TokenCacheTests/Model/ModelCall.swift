import TokenProtocol

@testable import TokenCache

/// A call to a tenant in the model, from its queueing to its end.
final class ModelCall {
    /// The position of a call: in a queue, or under way.
    enum Position: Equatable {
        /// Before all others.
        case first
        /// Among the callers' calls, in this uid's turn.
        case caller(PeerUID)
        /// Among the prefetches, in this uid's turn.
        case prefetch(PeerUID)
        /// Among refreshes, and revocations that nobody waits for.
        case background
        /// Among the mints of its round.
        case round
        /// It was sent.
        case sent(Instant)
    }

    /// The refresh of a valid token.
    struct Refresh {
        var tokenEnds: Instant
        var deadline: Instant
        var notBefore: Instant?
        /// The pause before its last retry, and the outage in which that was drawn.
        var pause: (length: Duration, outage: Int)?
    }

    /// The use of its token: for the cache, only for its waiters, or for revocation.
    enum Fate {
        case current
        case superseded
        case revoked
    }

    /// The state of a paused retry.
    enum Readiness {
        case surely
        /// The tenant is back, so it may be sent when the cache gets to it.
        case soon
        /// The pause is over, or the tenant has just come back.
        ///
        /// The cache may not have got to it.
        case perhaps
        case no
    }

    unowned let tenant: ModelTenant
    /// The key that it mints, or nil if it revokes.
    let key: ModelKey?
    /// The token that it revokes, or nil if it mints.
    let token: ModelToken?
    let cause: AuditRecord.MintCause
    /// The uid that caused it, or nil if the daemon did.
    let peer: PeerUID?
    /// The generation of its key in which it was queued.
    let generation: Int
    /// Its ID in the cache, or nil if it has not been seen there yet.
    var id: CallID?
    var position = Position.background
    var owner: PeerUID
    var requestedAt: Instant?
    var refresh: Refresh?
    var readiness = Readiness.surely
    var isProbe = false
    /// True if a refresh, or a caller's mint of a valid token, has failed before it.
    var isRetry = false
    var hasTriedNewSecret = false
    /// The round that has queued it.
    var round: ModelRound?
    var isSuperseded = false
    /// The uid that has logged the user out in the meantime.
    var revokedFor: PeerUID?
    var waiters: [ModelWaiter] = []
    var traces = ModelTraces()
    /// The logout that waits for a revocation.
    var logout: ModelWaiter?

    /// Creates a mint.
    init(_ key: ModelKey, _ cause: AuditRecord.MintCause, for peer: PeerUID?) {
        tenant = key.tenant
        self.key = key
        token = nil
        self.cause = cause
        self.peer = peer
        owner = peer ?? EntryStore.nobody
        generation = key.generation
        isProbe = cause == .probe
    }

    /// Creates a revocation.
    init(revoking token: ModelToken, at tenant: ModelTenant, for peer: PeerUID) {
        self.tenant = tenant
        key = nil
        self.token = token
        cause = .caller
        self.peer = peer
        owner = peer
        generation = token.generation
    }

    /// The time at which it was sent, or nil if it is queued.
    var sent: Instant? { if case .sent(let time) = position { time } else { nil } }

    var isSent: Bool { sent != nil }

    var fate: Fate {
        if revokedFor != nil { return .revoked }
        return isSuperseded || tenant.isRetired ? .superseded : .current
    }

    /// True if a request waits for it.
    var isAwaited: Bool { !waiters.isEmpty || logout != nil }

    /// True if no request caused it.
    var isUnrequested: Bool { cause == .refresh || cause == .probe || round != nil }

    /// True if its round is the tenant's present one.
    var isOfRound: Bool { round != nil && round === tenant.round }

    /// The expiry of the token that it renews or revokes, after which it is of no use.
    var tokenEnds: Instant? { token?.expiry ?? refresh?.tokenEnds }

    /// Its position in the queues when nobody waits for it.
    var positionAlone: Position {
        if isProbe { return .first }
        if token != nil || refresh != nil { return .background }
        return isOfRound ? .round : .prefetch(owner)
    }

    /// True if the cache may end it at any time, and must soon, as it is of no use.
    var isDoomed: Bool {
        if position == .round, !isOfRound { return true }
        return !isSent && (tenant.isRetired || key != nil && fate != .current && waiters.isEmpty)
    }

    /// True if it is a refresh that is retried later.
    func isPausing(at now: Instant) -> Bool { readiness == .no && refresh?.notBefore ?? now > now }

    /// True if it goes before another refresh or revocation.
    func isSooner(than other: ModelCall) -> Bool {
        guard let ends = tokenEnds, let otherEnds = other.tokenEnds else { return false }
        guard ends == otherEnds else { return ends < otherEnds }
        guard let id, let otherID = other.id else { return false }
        return id < otherID
    }
}

extension ModelCall: CustomStringConvertible {
    var description: String {
        let subject = (key ?? token?.key).map { "\($0)" } ?? ""
        let work = key == nil ? "revocation" : cause.rawValue
        return "\(work) \(id?.serial ?? 0) of \(subject), \(isSent ? "sent" : "\(position)"), \(fate)"
    }
}
