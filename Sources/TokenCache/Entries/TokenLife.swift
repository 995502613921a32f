/// When a token may be served, when it is to be refreshed and when it ends: a pure function of its lifetime and of one
/// random draw.
///
/// The draw is made once per token and kept. Drawn anew at each look, the earliest point of the band would win for
/// every token, and tokens that were minted together would be refreshed together.
package struct TokenLife: Sendable, Equatable {
    /// The most that is taken off the end of a life: 30 s are enough for an app to use a token that it just got.
    static let longestMargin = Duration.seconds(30)
    /// Short lives lose a twentieth instead.
    static let marginShare = 0.05
    /// The longest lifetime that is believed, a day: a tenant that names a longer one is asked again after it.
    static let longest = Duration.seconds(86_400)
    /// What must be left of any token that is handed out: an answer in whole seconds can't say less.
    static let leastServed = Duration.seconds(1)
    /// How far before the end of serving the refresh deadline lies at least: the timer must come before it, not with it.
    static let beforeMargin = Duration.milliseconds(1)

    /// When the token was asked of the tenant; its life counts from there, not from the answer.
    package let sent: Instant
    /// How long it lives from then on.
    package let lifetime: Duration
    /// What was drawn for this token, from 0 up to 1.
    package let jitterFraction: Double
    /// When it ends.
    package let expiry: Instant
    /// What must be left for it to be served from the cache: it must be more than the margin, and a second at least.
    package let margin: Duration
    /// From here on a request that finds it starts a refresh in the background.
    package let refreshAfter: Instant
    /// Here a timer refreshes it if it is in use.
    package let refreshDeadline: Instant
    /// Up to here it has what a caller without a `min_ttl` should have left.
    package let preferredUntil: Instant

    /// Lays a life out.
    ///
    /// - Parameters:
    ///   - sent: When the token was asked of the tenant.
    ///   - lifetime: What the tenant says, or the policy's default.
    ///   - jitterFraction: Evenly from 0 up to 1.
    ///   - policy: Where the points lie.
    package init(sent: Instant, lifetime: Duration, jitterFraction: Double, policy: CachePolicy) {
        let lifetime = min(lifetime, Self.longest)
        let shift = policy.jitter * (jitterFraction - 0.5)
        self.sent = sent
        self.lifetime = lifetime
        self.jitterFraction = jitterFraction
        expiry = sent + lifetime
        margin = min(Self.longestMargin, lifetime * Self.marginShare)
        refreshAfter = sent + lifetime * (policy.ahead + shift)
        refreshDeadline = min(
            sent + lifetime * (policy.lastChance + shift),
            expiry - max(margin, Self.leastServed) - Self.beforeMargin
        )
        preferredUntil = expiry - max(min(policy.minTTL, lifetime / 10), margin)
    }

    /// The same token's life under another policy.
    package func under(_ policy: CachePolicy) -> TokenLife {
        TokenLife(sent: sent, lifetime: lifetime, jitterFraction: jitterFraction, policy: policy)
    }

    /// What is left, negative after the end.
    package func left(at now: Instant) -> Duration { expiry - now }

    /// Whether it may be served from the cache at all.
    package func isServable(at now: Instant) -> Bool {
        let left = left(at: now)
        return left > margin && left >= Self.leastServed
    }

    /// What a request that finds this token gets.
    ///
    /// - Parameter minTTL: What the request insists on; nil: the configured preference.
    package func verdict(at now: Instant, minTTL: Duration?) -> Verdict {
        guard isServable(at: now) else { return .mint(mayServeStale: false) }
        let isLongEnough = minTTL.map { left(at: now) >= max($0, margin) } ?? (now <= preferredUntil)
        if isLongEnough { return now < refreshAfter ? .serve : .serveAndRefresh }
        guard let minTTL else { return .mint(mayServeStale: true) }
        let canBeBettered = minTTL * 2 <= lifetime || (now - sent) * 10 >= lifetime
        return canBeBettered ? .mint(mayServeStale: false) : .serveUnmet
    }

    /// What a request that finds a token gets.
    package enum Verdict: Sendable, Equatable {
        /// The token.
        case serve
        /// The token, and one refresh starts in the background.
        case serveAndRefresh
        /// The token, marked: a new one would not have more left.
        case serveUnmet
        /// A new token; where minting fails the old one is served, marked as stale, if it may be.
        case mint(mayServeStale: Bool)
    }
}
