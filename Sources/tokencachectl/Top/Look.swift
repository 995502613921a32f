package import OperatorReplies

/// All that was learned of the daemon at one time.
package struct Look: Sendable {
    /// The time at which it was learned, counted from the start of the tool.
    package var at: Duration
    package var stats: StatsReply
    package var health: HealthReply?
    /// The tokens that are refreshed next, the soonest first, or nil if the daemon doesn't say.
    var refreshes: [EntriesPage.Entry]?
    /// The times that hits and mints took, or nil if the daemon doesn't say.
    package var latencies: Latencies?

    /// The histograms of the daemon's metrics.
    package struct Latencies: Sendable, Equatable {
        package var hits: LatencyHistogram
        package var mints: LatencyHistogram

        /// Reads the histograms from metrics in Prometheus's text format, or returns nil if they aren't among them.
        package init?(metrics text: String) {
            guard let hits = LatencyHistogram("tokencached_hit_duration_seconds", in: text),
                let mints = LatencyHistogram("tokencached_mint_duration_seconds", in: text)
            else { return nil }
            (self.hits, self.mints) = (hits, mints)
        }

        private init(hits: LatencyHistogram, mints: LatencyHistogram) { (self.hits, self.mints) = (hits, mints) }

        /// Returns what was added since an earlier look, or nil if that can't be said.
        func since(_ earlier: Latencies) -> Latencies? {
            guard let hits = hits.since(earlier.hits), let mints = mints.since(earlier.mints) else { return nil }
            return Latencies(hits: hits, mints: mints)
        }
    }

    /// Creates a look.
    ///
    /// An entry without the time of its refresh is left out: an older daemon lists the cache's entries instead.
    package init(
        at: Duration,
        stats: StatsReply,
        health: HealthReply? = nil,
        refreshes: EntriesPage? = nil,
        latencies: Latencies? = nil
    ) {
        self.at = at
        self.stats = stats
        self.health = health
        self.latencies = latencies
        let planned = refreshes?.entries.filter { $0.nextRefresh != nil }
        self.refreshes = planned?.isEmpty == true && refreshes?.entries.isEmpty == false ? nil : planned
    }
}

extension Look {
    /// The operations that applications ask for.
    private static let applicationOperations = ["token", "prefetch", "invalidate", "revoke", "provision"]

    /// The number of applications' requests since the daemon's start.
    var requests: Double {
        Self.applicationOperations.reduce(0) { $0 + Double(stats.requests.byOperation[$1] ?? 0) }
    }

    /// The number of requests for tokens that found one, or had to wait for one, since the daemon's start.
    var lookups: Double {
        Double(stats.requests.hits) + Double(stats.requests.misses) + Double(stats.requests.coalesced)
    }

    /// The number of requests that provision a user, since the daemon's start.
    var provisions: Double { Double(stats.requests.byOperation["provision"] ?? 0) }

    /// The number of mints that failed.
    var failures: Double { stats.mints.failed.values.reduce(0) { $0 + Double($1) } }
}
