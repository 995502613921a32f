package import OperatorReplies
package import TokenCache

/// The state of the cache and of the server for metrics.
package struct ServerSnapshot: Sendable {
    /// The state of the cache, with the server's numbers in its statistics.
    package var cache: CacheSnapshot
    /// The answered requests by kind.
    package let answered: [RequestCounters.Kind: Int]
    /// The number of requests of uids that are not told apart.
    package let requestsOfOtherUsers: Int
    /// The status that `health` shows.
    package let health: HealthReply.Status

    /// Creates a snapshot.
    package init(
        cache: CacheSnapshot,
        answered: [RequestCounters.Kind: Int] = [:],
        requestsOfOtherUsers: Int = 0,
        health: HealthReply.Status = .ok
    ) {
        self.cache = cache
        self.answered = answered
        self.requestsOfOtherUsers = requestsOfOtherUsers
        self.health = health
    }

    /// The counters and gauges of `stats`, without its quantiles.
    package var stats: StatsReply { cache.stats }
}
