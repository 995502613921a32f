extension StatsReply {
    /// The time that replies took.
    package struct Latencies: Sendable, Equatable, Codable, Omissible {
        /// The time from the read that brought a hit to the write that took its reply.
        package var hits = Latency()
        package var mints = Latency()
        package init() {}
    }

    /// Quantiles in seconds, all zero while nothing was measured.
    package struct Latency: Sendable, Equatable, Codable, Omissible {
        package var p50 = 0.0
        package var p90 = 0.0
        package var p99 = 0.0
        package var p999 = 0.0
        package var max = 0.0
        package init() {}
    }
}
