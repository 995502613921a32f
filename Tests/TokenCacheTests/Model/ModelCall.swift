import Secrets
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
    var isSuperseded = false
    /// The uid that has logged the user out in the meantime.
    var revokedFor: PeerUID?
    var waiters: [ModelWaiter] = []
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
    var isUnrequested: Bool { cause == .refresh || cause == .probe }

    /// The expiry of the token that it renews or revokes, after which it is of no use.
    var tokenEnds: Instant? { token?.expiry ?? refresh?.tokenEnds }

    /// Its position in the queues when nobody waits for it.
    var positionAlone: Position {
        if isProbe { return .first }
        return token != nil || refresh != nil ? .background : .prefetch(owner)
    }

    /// True if the cache may end it at any time, and must soon, as it is of no use.
    var isDoomed: Bool { !isSent && (tenant.isRetired || key != nil && fate != .current && waiters.isEmpty) }

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

/// A request or a logout that waits for its reply.
final class ModelWaiter {
    /// The end of a call, for its waiters.
    enum Outcome {
        case token(ModelToken)
        case error(ModelError)
    }

    let name: Waiter
    let peer: PeerUID
    let tenant: ModelTenant
    let deadline: Instant
    /// The key, or nil for a logout.
    let key: ModelKey?
    let options: RequestOptions?
    /// The key's generation at the time of the request.
    let generation: Int
    let acceptsStale: Bool
    /// The mint, or nil if it has ended.
    var call: ModelCall?
    /// The end of the call, which the waiter has not been told yet.
    var outcome: Outcome?
    /// The error that the waiter gets when the cache gets to it, as the tenant is not configured any more.
    var removalError: ErrorReply.Code?
    /// A logout's revocations that have not ended, and whether the tenant revoked those that have.
    var open: [ModelCall] = []
    var areAllTaken = true
    /// The forecast on which the waiter was accepted, or nil if it doesn't bind the cache.
    var forecast: ModelTenant.WaitForecast?

    /// Creates a waiting caller.
    init(_ name: Waiter, _ key: ModelKey, _ options: RequestOptions, acceptsStale: Bool, now: Instant) {
        self.name = name
        peer = options.peer.uid
        tenant = key.tenant
        deadline = now + options.timeout
        self.key = key
        self.options = options
        generation = key.generation
        self.acceptsStale = acceptsStale
    }

    /// Creates a waiting logout.
    init(_ name: Waiter, at tenant: ModelTenant, for peer: PeerUID, until deadline: Instant) {
        self.name = name
        self.peer = peer
        self.tenant = tenant
        self.deadline = deadline
        key = nil
        options = nil
        generation = 0
        acceptsStale = false
    }
}

extension ModelCall: CustomStringConvertible {
    var description: String {
        let subject = (key ?? token?.key).map { "\($0)" } ?? ""
        let work = key == nil ? "revocation" : cause.rawValue
        return "\(work) \(id?.serial ?? 0) of \(subject), \(isSent ? "sent" : "\(position)"), \(fate)"
    }
}
