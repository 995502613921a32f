import Secrets
import TokenProtocol

@testable import TokenCache

/// A key in the model.
final class ModelKey {
    let key: TokenKey
    unowned let tenant: ModelTenant
    /// A number that is raised whenever older tokens become void.
    var generation = 0
    var entry: ModelEntry?
    var negative: ModelNegative?
    /// The mint of the current generation that is queued or under way.
    var current: ModelCall?

    init(_ key: TokenKey, _ tenant: ModelTenant) {
        self.key = key
        self.tenant = tenant
    }

    /// The time at which its denials are forgotten.
    var forgetAt: Instant { negative?.forgetAt ?? ModelRun.start }

    /// Returns the error for a request that needs a mint, or nil if it may go on.
    func negativeError(at now: Instant) -> ModelError? { negative?.error(at: now) }

    /// True if it belongs to a user, and has these scopes if any are named.
    func belongs(to user: UserKey, _ scopes: ScopeSet?) -> Bool {
        key.user == user && scopes ?? key.scopes == key.scopes
    }
}

/// An error that the model expects.
struct ModelError {
    var code: ErrorReply.Code
    /// The time until a retry makes sense, or nil if it is not known.
    var wait: Duration?
}

/// A token that the model remembers for the whole run.
final class ModelToken {
    let fingerprint: Fingerprint
    /// The key, which is another one after another daemon has restored the token.
    var key: ModelKey
    /// The generation of its key.
    var generation: Int
    let sent: Instant
    let lifetime: Duration
    /// True if its user has logged out since it was requested.
    ///
    /// Then nobody may get it.
    var isRevoked = false
    /// True if something other than time has dropped it.
    ///
    /// Then no later daemon may restore it.
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

/// A cached token, with the times of its life by the rules of minting.md.
final class ModelEntry {
    /// The answer to a request that finds it.
    enum Verdict {
        case serve(meetsMinTTL: Bool)
        case serveAndRefresh
        case mint(mayServeStale: Bool)
    }

    let token: ModelToken
    /// Its random fraction, drawn once and kept.
    let jitterFraction: Double
    let arrived: Instant
    var lastUsed: Instant?
    let isUnrequested: Bool
    let replacedReported: Bool
    /// Its owner, the uid of the last request if that was not the owner, and its last use as a count of all uses.
    var owner: PeerUID
    var challenger: PeerUID?
    var use = 0
    /// True if the consequences of its refresh deadline have been checked.
    var isDeadlineJudged = false
    private(set) var margin: Duration = .zero
    private(set) var refreshAfter = ModelRun.start
    private(set) var refreshDeadline = ModelRun.start
    private(set) var preferredUntil = ModelRun.start

    init(
        _ token: ModelToken,
        jitterFraction: Double,
        arrived: Instant,
        lastUsed: Instant?,
        isUnrequested: Bool,
        replacedReported: Bool,
        owner: PeerUID,
        policy: CachePolicy
    ) {
        self.token = token
        self.jitterFraction = jitterFraction
        self.arrived = arrived
        self.lastUsed = lastUsed
        self.isUnrequested = isUnrequested
        self.replacedReported = replacedReported
        self.owner = owner
        layOut(policy)
    }

    /// Computes the times of its life, also again under another policy.
    func layOut(_ policy: CachePolicy) {
        let (sent, lifetime, expiry) = (token.sent, token.lifetime, token.expiry)
        let shift = policy.jitter * (jitterFraction - 0.5)
        margin = min(.seconds(30), lifetime * 0.05)
        refreshAfter = sent + lifetime * (policy.ahead + shift)
        let nominal = sent + lifetime * (policy.refreshDeadline + shift)
        refreshDeadline = min(nominal, expiry - max(margin, .seconds(1)) - .milliseconds(1))
        preferredUntil = expiry - max(min(policy.minTTL, lifetime / 10), margin)
        isDeadlineJudged = false
    }

    func isServable(at now: Instant) -> Bool {
        let left = token.left(at: now)
        return left > margin && left >= .seconds(1)
    }

    /// True if it is worth refreshing though nobody waits.
    func isInUse(at now: Instant, _ policy: CachePolicy) -> Bool {
        guard let lastUsed, isServable(at: now), now - lastUsed <= policy.idleTTL else { return false }
        return !isUnrequested || lastUsed >= arrived
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

    /// Records a request: it becomes the newest of its owner, and another uid owns it after two requests in a row.
    func ask(at now: Instant, by peer: PeerUID, use: Int) {
        lastUsed = now
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

/// The denials, failures and reports of a key.
struct ModelNegative {
    enum Report {
        case unpaid
        case paid
    }

    var denial: (until: Instant, length: Duration, status: Int)?
    var failure: (until: Instant, error: ModelError)?
    var report: Report?
    var forgetAt: Instant

    func error(at now: Instant) -> ModelError? {
        if let denial, denial.until > now {
            return ModelError(code: .denied, wait: denial.until - now)
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
