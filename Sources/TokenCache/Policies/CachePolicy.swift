/// The configured settings of the cache and of its refreshes.
package struct CachePolicy: Sendable, Equatable {
    /// The maximum number of tokens.
    ///
    /// Beyond it the least recently used ones are removed.
    package var maxEntries = 100_000
    /// The time without a request after which a user is idle and not refreshed.
    package var idleTTL = Duration.seconds(1_800)
    /// The time for which a tenant's denial of a user is remembered at first.
    package var negativeTTL = Duration.seconds(10)
    /// The share of a lifetime after which a request starts a refresh in the background.
    package var ahead = 0.7
    /// The width of the random band around each token's refresh times, as a share of its lifetime.
    package var jitter = 0.1
    /// The share of a lifetime at which a timer refreshes a token in use that no request has refreshed.
    package var refreshDeadline = 0.9
    /// The preferred time left for requests without a `min_ttl`, limited to a tenth of the lifetime.
    package var minTTL = Duration.seconds(60)
    /// The lifetime of a token whose reply gives no usable one.
    package var defaultLifetime = Duration.seconds(300)
    /// The share of the tokens that one uid may own if another uid's tokens would be evicted otherwise.
    package var entriesShare = 0.5
    /// The share of the waiting requests that one uid may have while another uid waits, too.
    package var waitingShare = 0.5

    /// Creates the default policy.
    package init() {}

    /// True if token lives are computed in the same way under another policy.
    func hasSameLives(as other: CachePolicy) -> Bool {
        (ahead, jitter, refreshDeadline, minTTL) == (other.ahead, other.jitter, other.refreshDeadline, other.minTTL)
    }
}
