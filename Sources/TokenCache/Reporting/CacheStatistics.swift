import Histogram
import OperatorReplies
import TokenProtocol

/// The counters since the start.
struct CacheStatistics {
    /// The maximum latency in nanoseconds, ten minutes: more than any mint may take.
    private static let maxLatency: UInt64 = 600_000_000_000

    /// The number of tokens that left the cache, by cause.
    struct Evictions {
        var expired = 0
        var capacity = 0
        var invalidated = 0
        var revoked = 0
        var evicted = 0
        var flushed = 0
    }

    var hits = 0
    var misses = 0
    var coalesced = 0
    var negatives = 0
    var started = 0
    var succeeded = 0
    var failed: [ErrorReply.Code: Int] = [:]
    var refreshesDue = 0
    private(set) var refreshesDone = 0
    private(set) var refreshesLate = 0
    var skippedIdle = 0
    var evictions = Evictions()
    private var hitLatency = Self.emptyHistogram()
    private var mintLatency = Self.emptyHistogram()

    /// Records the latency of hits that were answered together.
    mutating func recordHits(_ count: Int, _ latency: Duration) {
        hitLatency.record(Self.nanoseconds(latency), count: UInt64(count))
    }

    /// Records the latency of a mint with any end.
    mutating func recordMint(_ latency: Duration) {
        mintLatency.record(Self.nanoseconds(latency))
    }

    /// Records a refresh that brought a token.
    mutating func refreshDone(isLate: Bool) {
        refreshesDone += 1
        refreshesLate += isLate ? 1 : 0
    }

    /// The quantiles of the hits' latency.
    var hitQuantiles: StatsReply.Latency { Self.quantiles(hitLatency) }

    /// The quantiles of the mints' latency.
    var mintQuantiles: StatsReply.Latency { Self.quantiles(mintLatency) }

    private static func emptyHistogram() -> Histogram<UInt64> {
        Histogram(
            lowestDiscernibleValue: 100,
            highestTrackableValue: maxLatency,
            numberOfSignificantValueDigits: .two
        )
    }

    private static func nanoseconds(_ latency: Duration) -> UInt64 {
        let (seconds, attoseconds) = latency.components
        let nanoseconds = UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
        return min(nanoseconds, maxLatency)
    }

    private static func quantiles(_ histogram: Histogram<UInt64>) -> StatsReply.Latency {
        func seconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1e9 }
        var latency = StatsReply.Latency()
        guard histogram.totalCount > 0 else { return latency }
        latency.p50 = seconds(50)
        latency.p90 = seconds(90)
        latency.p99 = seconds(99)
        latency.p999 = seconds(99.9)
        latency.max = Double(histogram.maxRecorded) / 1e9
        return latency
    }
}
