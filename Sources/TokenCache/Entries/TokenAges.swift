/// The ages in nanoseconds at which a token may be served, is refreshed and expires.
///
/// They are computed at each look, as that costs less than memory for them: a few additions and multiplications.
struct TokenAges: Sendable, Equatable {
    /// The maximum safety margin, 30 s.
    ///
    /// In that time an app can use a token that it just got.
    private static let maxMargin: Int64 = 30_000_000_000
    /// The part of a short lifetime that is its safety margin.
    private static let marginPart: Int64 = 20
    /// The minimum time left of a served token, a second, as replies give it in whole seconds.
    private static let minServed: Int64 = 1_000_000_000
    /// The minimum time from the refresh deadline to the end of serving, a millisecond, so that the timer comes first.
    private static let beforeMargin: Int64 = 1_000_000

    /// The age at which it expires.
    let lifetime: Int64
    /// The random number of the token, as a share of 2¹⁶.
    let jitter: UInt16
    private let policy: LifePolicy

    init(lifetime: Int64, jitter: UInt16, policy: LifePolicy) {
        self.lifetime = lifetime
        self.jitter = jitter
        self.policy = policy
    }

    /// The safety margin.
    var margin: Int64 { min(Self.maxMargin, lifetime / Self.marginPart) }

    /// The age from which on a request for it starts a refresh in the background.
    var refreshAfter: Int64 { share(policy.ahead) }

    /// The age at which a timer refreshes it if it is in use.
    var refreshDeadline: Int64 {
        min(share(policy.refreshDeadline), lifetime - max(margin, Self.minServed) - Self.beforeMargin)
    }

    /// The age up to which it satisfies a request without a `min_ttl`.
    var preferredUntil: Int64 { lifetime - max(min(policy.minTTL, lifetime / 10), margin) }

    /// Returns a share of the lifetime, moved within the random band, to the nearest nanosecond.
    ///
    /// A lifetime of a day has 47 bits, so a double keeps it exactly.
    private func share(_ share: Double) -> Int64 {
        let shift = policy.jitter * (Double(jitter) * 0x1p-16 - 0.5)
        return Int64(Double(lifetime) * (share + shift) + 0.5)
    }

    /// True if it may be served from the cache.
    func isServable(at age: Int64) -> Bool {
        let left = lifetime - age
        return left > margin && left >= Self.minServed
    }

    /// Returns the answer to a request that finds this token.
    ///
    /// - Parameter minTTL: The minimum time left that the request demands, or nil for the configured preference.
    func verdict(at age: Int64, minTTL: Int64?) -> TokenLife.Verdict {
        guard isServable(at: age) else { return .mint(mayServeStale: false) }
        let isLongEnough = minTTL.map { lifetime - age >= max($0, margin) } ?? (age <= preferredUntil)
        if isLongEnough { return age < refreshAfter ? .serve : .serveAndRefresh }
        guard let minTTL else { return .mint(mayServeStale: true) }
        let canBeBettered = minTTL <= lifetime / 2 || age >= (lifetime + 9) / 10
        return canBeBettered ? .mint(mayServeStale: false) : .serveUnmet
    }
}
