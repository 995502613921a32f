import TokenStorage

/// The times at which a token may be served, is refreshed and expires.
///
/// They are a pure function of its lifetime and one random number, which is drawn once per token and kept. If it were
/// drawn at each look, the earliest point of the band would win for every token, and tokens that were minted together
/// would be refreshed together.
package struct TokenLife: Sendable, Equatable {
    /// The maximum lifetime, a day.
    ///
    /// A token with a longer one is renewed after a day.
    static let maxLifetime = Duration.seconds(86_400)
    /// The minimum time left of a served token, as replies give it in whole seconds.
    static let minServed = Duration.seconds(1)

    /// The time at which the token was requested from the tenant.
    ///
    /// Its life counts from there, not from the reply.
    package let sent: Instant
    private let ages: TokenAges

    /// Computes the times of a token's life.
    ///
    /// - Parameters:
    ///   - sent: The time at which the token was requested from the tenant.
    ///   - lifetime: The lifetime from the tenant's reply, or the policy's default. It counts in whole milliseconds.
    ///   - jitterFraction: A random number, evenly distributed from 0 up to 1.
    ///   - policy: The shares of the lifetime.
    package init(sent: Instant, lifetime: Duration, jitterFraction: Double, policy: CachePolicy) {
        let jitter = UInt16(clamping: Int(jitterFraction * 0x1p16))
        self.init(sent: sent, lifetime: lifetime, jitter: jitter, policy: LifePolicy(policy))
    }

    /// Computes the times of a token's life by its random number, as a share of 2¹⁶.
    init(sent: Instant, lifetime: Duration, jitter: UInt16, policy: LifePolicy) {
        let nanoseconds = min(lifetime, Self.maxLifetime).wholeNanoseconds
        let ages = TokenAges(lifetime: nanoseconds - nanoseconds % 1_000_000, jitter: jitter, policy: policy)
        self.init(sent: sent, ages)
    }

    /// Creates the life of a token that was requested at a time.
    init(sent: Instant, _ ages: TokenAges) {
        self.sent = sent
        self.ages = ages
    }

    /// The lifetime from ``sent`` on.
    package var lifetime: Duration { .nanoseconds(ages.lifetime) }

    /// The random number of this token, from 0 up to 1.
    package var jitterFraction: Double { Double(ages.jitter) * 0x1p-16 }

    /// The random number as a share of 2¹⁶.
    var jitter: UInt16 { ages.jitter }

    /// The expiry.
    package var expiry: Instant { sent + lifetime }

    /// The safety margin.
    ///
    /// A token is served from the cache while more than this is left, and at least a second.
    package var margin: Duration { .nanoseconds(ages.margin) }

    /// The time from which on a request for it starts a refresh in the background.
    package var refreshAfter: Instant { sent + .nanoseconds(ages.refreshAfter) }

    /// The time at which a timer refreshes it if it is in use.
    package var refreshDeadline: Instant { sent + .nanoseconds(ages.refreshDeadline) }

    /// Returns the time left, negative after the expiry.
    package func left(at now: Instant) -> Duration { expiry - now }

    /// True if it may be served from the cache.
    package func isServable(at now: Instant) -> Bool { ages.isServable(at: age(at: now)) }

    /// Returns the answer to a request that finds this token.
    ///
    /// - Parameter minTTL: The minimum time left that the request demands, or nil for the configured preference.
    package func verdict(at now: Instant, minTTL: Duration?) -> Verdict {
        ages.verdict(at: age(at: now), minTTL: minTTL?.nanosecondsRoundedUp)
    }

    private func age(at now: Instant) -> Int64 { (now - sent).wholeNanoseconds }

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

extension Duration {
    /// The duration in nanoseconds, rounded up, and the largest number if it is longer than three hundred years.
    var nanosecondsRoundedUp: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLong) = product.addingReportingOverflow((attoseconds + 999_999_999) / 1_000_000_000)
        return overflows || isTooLong ? .max : sum
    }
}
