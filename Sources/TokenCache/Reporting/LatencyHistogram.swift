import Histogram
import OperatorReplies
import TokenStorage

/// The distribution of a time since the start.
package struct LatencyHistogram: Sendable {
    /// The maximum in nanoseconds, ten minutes: more than any mint or wait may take.
    private static let max: UInt64 = 600_000_000_000

    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 100,
        highestTrackableValue: Self.max,
        numberOfSignificantValueDigits: .two
    )
    private var nanoseconds: UInt64 = 0

    /// Records a time that was measured once for a number of events.
    mutating func record(_ latency: Duration, count: Int = 1) {
        let each = Self.nanoseconds(latency)
        histogram.record(each, count: UInt64(count))
        nanoseconds &+= each &* UInt64(count)
    }

    /// The number of recorded events.
    package var count: Int { Int(histogram.totalCount) }

    /// The sum of the recorded times in seconds.
    package var sum: Double { Double(nanoseconds) / 1e9 }

    /// Returns the number of events that took at most a time in seconds, which is exact to a hundredth of the time.
    package func count(upTo seconds: Double) -> Int { Int(histogram.count(within: 0...UInt64(seconds * 1e9))) }

    /// The quantiles in seconds.
    var quantiles: StatsReply.Latency {
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

    private static func nanoseconds(_ latency: Duration) -> UInt64 {
        min(UInt64(Swift.max(0, latency.wholeNanoseconds)), max)
    }
}
