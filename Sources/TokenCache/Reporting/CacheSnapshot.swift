package import OperatorReplies

/// The state of the cache for metrics.
///
/// It is taken on the event loop, where it costs the same no matter how many tokens there are, and read elsewhere.
package struct CacheSnapshot: Sendable {
    /// The counters and gauges of `stats`, without its quantiles.
    package var stats: StatsReply
    /// The number of waiting requests.
    package let waiting: Int
    /// The limit of entries.
    package let maxEntries: Int
    /// The number of tokens that are persisted for the next daemon.
    package let persisted: Int
    /// The number of tokens that were taken over from the last daemon.
    package let restored: Int
    /// The ends of calls by tenant.
    package let calls: CallCountsByTenant
    /// The users who were provisioned.
    package let users: StatsReply.Users
    /// The time from the read that brought a hit to the write that took its reply.
    package let hits: LatencyHistogram
    /// The time that a mint took at the tenant.
    package let mints: LatencyHistogram
    /// The time that callers waited for a token.
    package let waits: LatencyHistogram
    /// The lifetime that tokens had left when they were handed out.
    package let lifetimes: LifetimeHistogram
}
