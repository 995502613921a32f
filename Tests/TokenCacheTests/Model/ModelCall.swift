import Secrets
import TokenProtocol

@testable import TokenCache

/// A call to a tenant as the model knows it, from its planning to its end.
final class ModelCall {
    /// Its place: in a queue, or under way.
    enum Place: Equatable {
        /// Before all others.
        case first
        /// Among those that somebody waits for, in this uid's turn.
        case caller(PeerUID)
        /// Among those that were asked for ahead, in this uid's turn.
        case prefetch(PeerUID)
        /// Among refreshes, and revocations that nobody waits for.
        case background
        /// It was sent.
        case sent(Instant)
    }

    /// A refresh of a living token.
    struct Refresh {
        var tokenEnds: Instant
        var deadline: Instant
        var notBefore: Instant?
        /// The pause before its last new try, and in which outage that was drawn.
        var pause: (length: Duration, outage: Int)?
    }

    /// The use that its token is put to: the cache, its waiters only, or revocation.
    enum Fate {
        case current
        case superseded
        case revoked
    }

    /// Whether a refresh that is tried again may go.
    enum Readiness {
        case surely
        /// The tenant is back: it may go when the cache comes to it.
        case soon
        /// The pause is over, or the tenant came back just now; the cache may not have come to it.
        case perhaps
        case no
    }

    unowned let tenant: ModelTenant
    /// The key that it mints; nil: it revokes.
    let key: ModelKey?
    /// The token that it revokes; nil: it mints.
    let token: ModelToken?
    let cause: AuditRecord.MintCause
    /// The uid that had it planned; nil: the daemon itself.
    let peer: PeerUID?
    /// The generation of its key in which it was planned.
    let generation: Int
    /// Its number in the cache; nil: it has not been seen there yet.
    var id: CallID?
    var place = Place.background
    var owner: PeerUID
    var askedAt: Instant?
    var refresh: Refresh?
    var readiness = Readiness.surely
    var isProbe = false
    /// Whether a refresh, or a caller's mint of a living token, has failed before it.
    var isRetry = false
    var hasTriedNewSecret = false
    var isSuperseded = false
    /// The uid that has logged the user out since.
    var revokedFor: PeerUID?
    var waiters: [ModelWaiter] = []
    /// The logout that waits for a revocation.
    var logout: ModelWaiter?

    /// A mint.
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

    /// A revocation.
    init(revoking token: ModelToken, at tenant: ModelTenant, for peer: PeerUID) {
        self.tenant = tenant
        key = nil
        self.token = token
        cause = .caller
        self.peer = peer
        owner = peer
        generation = token.generation
    }

    /// The time at which it was sent; nil: it waits for its turn.
    var sent: Instant? { if case .sent(let time) = place { time } else { nil } }

    var isSent: Bool { sent != nil }

    var fate: Fate {
        if revokedFor != nil { return .revoked }
        return isSuperseded || tenant.isRetired ? .superseded : .current
    }

    /// Whether somebody waits for it.
    var isAwaited: Bool { !waiters.isEmpty || logout != nil }

    /// Whether nobody's request planned it.
    var isUnasked: Bool { cause == .refresh || cause == .probe }

    /// The end of the token that it renews or revokes, after which it is of no use.
    var tokenEnds: Instant? { token?.expiry ?? refresh?.tokenEnds }

    /// Its place in the queues when nobody waits for it.
    var placeAlone: Place {
        if isProbe { return .first }
        return token != nil || refresh != nil ? .background : .prefetch(owner)
    }

    /// Whether the cache may end it at any time, and must before long: it is of no use to anyone.
    var isDoomed: Bool { !isSent && (tenant.isRetired || key != nil && fate != .current && waiters.isEmpty) }

    /// Whether it is a refresh that is to be tried again later.
    func isPausing(at now: Instant) -> Bool { readiness == .no && refresh?.notBefore ?? now > now }

    /// Whether it goes before another refresh or revocation.
    func isSooner(than other: ModelCall) -> Bool {
        guard let ends = tokenEnds, let otherEnds = other.tokenEnds else { return false }
        guard ends == otherEnds else { return ends < otherEnds }
        guard let id, let otherID = other.id else { return false }
        return id < otherID
    }
}

/// Somebody who waits for an answer.
final class ModelWaiter {
    /// The end of a call, for those who waited for it.
    enum Outcome {
        case token(ModelToken)
        case error(ModelError)
    }

    let name: Waiter
    let peer: PeerUID
    let tenant: ModelTenant
    let deadline: Instant
    /// The key that is waited for; nil: it is a logout.
    let key: ModelKey?
    let options: RequestOptions?
    /// The key's generation when it was asked for.
    let generation: Int
    let acceptsStale: Bool
    /// The mint that is waited for; nil: it has ended.
    var call: ModelCall?
    /// The end of the call, of which the waiter has not been told yet.
    var outcome: Outcome?
    /// The error that the waiter gets when the cache comes to it, as the tenant is not configured any more.
    var farewell: ErrorReply.Code?
    /// A logout's revocations that have not ended, and whether the tenant took those that have.
    var open: [ModelCall] = []
    var areAllTaken = true
    /// The state by which the waiter was let wait; nil: it doesn't bind the cache.
    var foresight: ModelTenant.Foresight?

    /// A caller.
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

    /// A logout.
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
        return "\(work) \(id?.serial ?? 0) of \(subject), \(isSent ? "sent" : "\(place)"), \(fate)"
    }
}
