import OperatorReplies
import TokenProtocol

/// The counters since the start.
struct CacheStatistics {
    /// The number of tokens that left the cache, by cause.
    struct Evictions {
        var expired = 0
        var capacity = 0
        var invalidated = 0
        var revoked = 0
        var evicted = 0
        var flushed = 0
    }

    /// The number of users by what was done for them.
    struct Users {
        /// Users who were there as requested.
        var found = 0
        var created = 0
        /// Users whose groups were changed, created ones included.
        var changed = 0
        /// Users whom the tenant denies, or has several of.
        var refused = 0
        /// Requests that were answered without a call.
        var remembered = 0
        /// Tokens that were revoked by the API.
        var revoked = 0

        /// Counts a user who was provisioned.
        mutating func count(_ reply: ProvisionReply) {
            if reply.isCreated { created += 1 }
            if reply.hasChangedGroups { changed += 1 }
            if !reply.isCreated, !reply.hasChangedGroups { found += 1 }
        }
    }

    var hits = 0
    var misses = 0
    var coalesced = 0
    var negatives = 0
    var started = 0
    /// The ends of calls.
    var calls = CallCountsByTenant()
    var refreshesDue = 0
    private(set) var refreshesDone = 0
    private(set) var refreshesLate = 0
    var skippedIdle = 0
    var evictions = Evictions()
    var users = Users()
    /// The number of tokens that were taken over from the last daemon.
    var restored = 0
    private(set) var hitLatency = LatencyHistogram()
    private(set) var mintLatency = LatencyHistogram()
    private(set) var waits = LatencyHistogram()
    var lifetimes = LifetimeHistogram()

    /// Records the latency of hits that were answered together.
    mutating func recordHits(_ count: Int, _ latency: Duration) { hitLatency.record(latency, count: count) }

    /// Records the latency of a mint with any end.
    mutating func recordMint(_ latency: Duration) { mintLatency.record(latency) }

    /// Records the wait of a caller with any end.
    mutating func recordWait(_ time: Duration) { waits.record(time) }

    /// Records a refresh that brought a token.
    mutating func refreshDone(isLate: Bool) {
        refreshesDone += 1
        refreshesLate += isLate ? 1 : 0
    }
}
