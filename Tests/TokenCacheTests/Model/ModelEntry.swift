import TokenStorage

@testable import TokenCache

extension Instant {
    /// The instant as a record keeps it.
    var asKept: Instant { BootClock().asKept(self) }
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
        self.arrived = arrived.asKept
        self.lastUsed = lastUsed?.asKept
        self.isUnrequested = isUnrequested
        self.replacedReported = replacedReported
        self.owner = owner
        layOut(policy)
    }

    /// Computes the times of its life, also again under another policy.
    func layOut(_ policy: CachePolicy) {
        let (sent, lifetime, expiry) = (token.sent, token.lifetime, token.expiry)
        let shift = policy.jitter * (jitterFraction - 0.5)
        margin = min(.seconds(30), lifetime / 20)
        refreshAfter = sent + lifetime.share(policy.ahead + shift)
        let nominal = sent + lifetime.share(policy.refreshDeadline + shift)
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
        lastUsed = now.asKept
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

extension Duration {
    /// Returns a share of the duration to the nearest nanosecond, in which the cache counts.
    ///
    /// It is computed by doubles as the cache does, as one share in eight is right between two nanoseconds.
    fileprivate func share(_ share: Double) -> Duration {
        let nanoseconds = Double(components.seconds) * 1e9 + Double(components.attoseconds / 1_000_000_000)
        return .nanoseconds(Int64(nanoseconds * share + 0.5))
    }

    /// The duration, rounded up to nanoseconds.
    var roundedUpToNanoseconds: Duration {
        let (seconds, attoseconds) = components
        return .seconds(seconds) + .nanoseconds((attoseconds + 999_999_999) / 1_000_000_000)
    }
}
