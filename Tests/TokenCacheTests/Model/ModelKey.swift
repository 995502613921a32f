import Secrets
import TokenProtocol

@testable import TokenCache

/// A key as the model knows it.
final class ModelKey {
    let key: TokenKey
    unowned let tenant: ModelTenant
    /// Raised by whatever makes older tokens void.
    var generation = 0
    var entry: ModelEntry?
    var negative: ModelNegative?
    /// The mint of the present generation that is planned or under way.
    var current: ModelCall?

    init(_ key: TokenKey, _ tenant: ModelTenant) {
        self.key = key
        self.tenant = tenant
    }

    /// The time at which the memory of its refusals ends.
    var forgetAt: Instant { negative?.forgetAt ?? ModelRun.start }

    /// The error that a request gets in the place of a mint; nil: it may go on.
    func negativeError(at now: Instant) -> ModelError? { negative?.error(at: now) }

    /// Whether it belongs to a user, and to these scopes if any are named.
    func belongs(to user: UserKey, _ scopes: ScopeSet?) -> Bool {
        key.user == user && scopes ?? key.scopes == key.scopes
    }
}

/// An error that the model foresees.
struct ModelError {
    var code: ErrorReply.Code
    /// The time until a retry is worth while; nil: nothing is said of it.
    var wait: Duration?
}

/// A token as the model remembers it, for the whole life.
final class ModelToken {
    let fingerprint: Fingerprint
    /// Another one when another daemon has taken it over.
    var key: ModelKey
    /// Of which generation of its key it is.
    var generation: Int
    let sent: Instant
    let lifetime: Duration
    /// Whether its user has logged out since it was asked for: then nobody may get it.
    var isRevoked = false
    /// Whether something other than time has dropped it: then no later daemon may have it.
    var isDropped = false

    init(_ token: AccessToken, _ call: ModelCall, _ key: ModelKey, sent: Instant, lifetime: Duration) {
        fingerprint = token.fingerprint
        self.key = key
        generation = call.generation
        self.sent = sent
        self.lifetime = min(lifetime, .seconds(86_400))
    }

    var expiry: Instant { sent + lifetime }

    func left(at now: Instant) -> Duration { expiry - now }
}

/// A cached token, laid out by the rules of minting.md.
final class ModelEntry {
    /// The answer to a request that finds it.
    enum Verdict {
        case serve(meetsMinTTL: Bool)
        case serveAndRefresh
        case mint(mayServeStale: Bool)
    }

    let token: ModelToken
    /// Its share of the band, drawn once and kept.
    let jitterFraction: Double
    let arrived: Instant
    var lastAsked: Instant?
    let cameUnasked: Bool
    let replacedReported: Bool
    /// Its owner, the last to ask if that was another, and its last use by the count of all uses.
    var owner: PeerUID
    var challenger: PeerUID?
    var use = 0
    /// Whether what follows from its refresh deadline has been judged.
    var isDeadlineJudged = false
    private(set) var margin: Duration = .zero
    private(set) var refreshAfter = ModelRun.start
    private(set) var refreshDeadline = ModelRun.start
    private(set) var preferredUntil = ModelRun.start

    init(
        _ token: ModelToken,
        jitterFraction: Double,
        arrived: Instant,
        lastAsked: Instant?,
        cameUnasked: Bool,
        replacedReported: Bool,
        owner: PeerUID,
        policy: CachePolicy
    ) {
        self.token = token
        self.jitterFraction = jitterFraction
        self.arrived = arrived
        self.lastAsked = lastAsked
        self.cameUnasked = cameUnasked
        self.replacedReported = replacedReported
        self.owner = owner
        layOut(policy)
    }

    /// Lays its life out, also anew under another policy.
    func layOut(_ policy: CachePolicy) {
        let (sent, lifetime, expiry) = (token.sent, token.lifetime, token.expiry)
        let shift = policy.jitter * (jitterFraction - 0.5)
        margin = min(.seconds(30), lifetime * 0.05)
        refreshAfter = sent + lifetime * (policy.ahead + shift)
        let lastChance = sent + lifetime * (policy.lastChance + shift)
        refreshDeadline = min(lastChance, expiry - max(margin, .seconds(1)) - .milliseconds(1))
        preferredUntil = expiry - max(min(policy.minTTL, lifetime / 10), margin)
        isDeadlineJudged = false
    }

    func isServable(at now: Instant) -> Bool {
        let left = token.left(at: now)
        return left > margin && left >= .seconds(1)
    }

    /// Whether it is worth refreshing though nobody waits.
    func isInUse(at now: Instant, _ policy: CachePolicy) -> Bool {
        guard let lastAsked, isServable(at: now), now - lastAsked <= policy.idleTTL else { return false }
        return !cameUnasked || lastAsked >= arrived
    }

    func verdict(at now: Instant, minTTL: Duration?) -> Verdict {
        guard isServable(at: now) else { return .mint(mayServeStale: false) }
        let left = token.left(at: now)
        if minTTL.map({ left >= max($0, margin) }) ?? (now <= preferredUntil) {
            return now < refreshAfter ? .serve(meetsMinTTL: true) : .serveAndRefresh
        }
        guard let minTTL else { return .mint(mayServeStale: true) }
        let isHopeless = minTTL * 2 > token.lifetime && (now - token.sent) * 10 < token.lifetime
        return isHopeless ? .serve(meetsMinTTL: false) : .mint(mayServeStale: false)
    }

    /// Notes that somebody asked for it: it becomes the newest of its owner, and another one's who asks twice in a row.
    func ask(at now: Instant, by peer: PeerUID, use: Int) {
        lastAsked = now
        self.use = use
        if owner == peer {
            challenger = nil
        } else if challenger == peer {
            (owner, challenger) = (peer, nil)
        } else {
            challenger = peer
        }
    }
}

/// The memory of a key's refusals, failures and reports.
struct ModelNegative {
    enum Report {
        case unpaid
        case paid
    }

    var refusal: (until: Instant, length: Duration, status: Int)?
    var failure: (until: Instant, error: ModelError)?
    var report: Report?
    var forgetAt: Instant

    func error(at now: Instant) -> ModelError? {
        if let refusal, refusal.until > now {
            return ModelError(code: .denied, wait: refusal.until - now)
        }
        guard let failure, failure.until > now else { return nil }
        return ModelError(code: failure.error.code, wait: max(failure.error.wait ?? .zero, failure.until - now))
    }
}

extension ModelKey: CustomStringConvertible {
    var description: String {
        "\(tenant.id.name).\(tenant.id.number)/\(String(decoding: key.user.user.value, as: UTF8.self))/\(key.scopes.text)"
    }
}
