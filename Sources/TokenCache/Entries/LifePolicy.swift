import TokenStorage

/// The part of a policy that token lives are computed from.
struct LifePolicy: Sendable, Equatable {
    /// The share of a lifetime after which a request starts a refresh.
    let ahead: Double
    /// The width of the random band around each refresh time, as a share of the lifetime.
    let jitter: Double
    /// The share of a lifetime at which a timer starts a refresh.
    let refreshDeadline: Double
    /// The preferred time left in nanoseconds.
    let minTTL: Int64

    init(_ policy: CachePolicy) {
        ahead = policy.ahead
        jitter = policy.jitter
        refreshDeadline = policy.refreshDeadline
        minTTL = policy.minTTL.wholeNanoseconds
    }
}
