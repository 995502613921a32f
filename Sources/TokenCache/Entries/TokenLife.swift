/// The times at which a token may be served, is refreshed and expires.
///
/// They are a pure function of its lifetime and one random number, which is drawn once per token and kept. If it were
/// drawn at each look, the earliest point of the band would win for every token, and tokens that were minted together
/// would be refreshed together.
package struct TokenLife: Sendable, Equatable {
    /// The maximum safety margin.
    ///
    /// In 30 s an app can use a token that it just got.
    static let maxMargin = Duration.seconds(30)
    /// The share of a short lifetime that is its safety margin.
    static let marginShare = 0.05
    /// The maximum lifetime, a day.
    ///
    /// A token with a longer one is renewed after a day.
    static let maxLifetime = Duration.seconds(86_400)
    /// The minimum time left of a served token, as replies give it in whole seconds.
    static let minServed = Duration.seconds(1)
    /// The minimum time from the refresh deadline to the end of serving, so that the timer comes first.
    static let beforeMargin = Duration.milliseconds(1)

    /// The time at which the token was requested from the tenant.
    ///
    /// Its life counts from there, not from the reply.
    package let sent: Instant
    /// The lifetime from then on.
    package let lifetime: Duration
    /// The random number of this token, from 0 up to 1.
    package let jitterFraction: Double
    /// The expiry.
    package let expiry: Instant
    /// The safety margin.
    ///
    /// A token is served from the cache while more than this is left, and at least a second.
    package let margin: Duration
    /// The time from which on a request for it starts a refresh in the background.
    package let refreshAfter: Instant
    /// The time at which a timer refreshes it if it is in use.
    package let refreshDeadline: Instant
    /// The time up to which it satisfies a request without a `min_ttl`.
    package let preferredUntil: Instant

    /// Computes the times of a token's life.
    ///
    /// - Parameters:
    ///   - sent: The time at which the token was requested from the tenant.
    ///   - lifetime: The lifetime from the tenant's reply, or the policy's default.
    ///   - jitterFraction: A random number, evenly distributed from 0 up to 1.
    ///   - policy: The shares of the lifetime.
    package init(sent: Instant, lifetime: Duration, jitterFraction: Double, policy: CachePolicy) {
        let lifetime = min(lifetime, Self.maxLifetime)
        let shift = policy.jitter * (jitterFraction - 0.5)
        self.sent = sent
        self.lifetime = lifetime
        self.jitterFraction = jitterFraction
        expiry = sent + lifetime
        margin = min(Self.maxMargin, lifetime * Self.marginShare)
        refreshAfter = sent + lifetime * (policy.ahead + shift)
        refreshDeadline = min(
            sent + lifetime * (policy.refreshDeadline + shift),
            expiry - max(margin, Self.minServed) - Self.beforeMargin
        )
        preferredUntil = expiry - max(min(policy.minTTL, lifetime / 10), margin)
    }

    /// Returns the same token's life under another policy.
    package func applying(_ policy: CachePolicy) -> TokenLife {
        TokenLife(sent: sent, lifetime: lifetime, jitterFraction: jitterFraction, policy: policy)
    }

    /// Returns the time left, negative after the expiry.
    package func left(at now: Instant) -> Duration { expiry - now }

    /// True if it may be served from the cache.
    package func isServable(at now: Instant) -> Bool {
        let left = left(at: now)
        return left > margin && left >= Self.minServed
    }

    /// Returns the answer to a request that finds this token.
    ///
    /// - Parameter minTTL: The minimum time left that the request demands, or nil for the configured preference.
    package func verdict(at now: Instant, minTTL: Duration?) -> Verdict {
        guard isServable(at: now) else { return .mint(mayServeStale: false) }
        let isLongEnough = minTTL.map { left(at: now) >= max($0, margin) } ?? (now <= preferredUntil)
        if isLongEnough { return now < refreshAfter ? .serve : .serveAndRefresh }
        guard let minTTL else { return .mint(mayServeStale: true) }
        let canBeBettered = minTTL * 2 <= lifetime || (now - sent) * 10 >= lifetime
        return canBeBettered ? .mint(mayServeStale: false) : .serveUnmet
    }

    /// The answer to a request that finds a token.
    package enum Verdict: Sendable, Equatable {
        /// The token.
        case serve
        /// The token, and one refresh starts in the background.
        case serveAndRefresh
        /// The token, marked: a new one would not have more time left.
        case serveUnmet
        /// A new token.
        ///
        /// If minting fails the old one is served, marked as stale, if it may be.
        case mint(mayServeStale: Bool)
    }
}
