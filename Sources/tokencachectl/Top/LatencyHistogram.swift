/// A histogram from the daemon's metrics: the number of durations up to each bound.
package struct LatencyHistogram: Sendable, Equatable {
    private struct Bucket: Sendable, Equatable {
        /// The bound in seconds, infinite for the last bucket.
        var bound: Double
        /// The number of durations up to the bound.
        var count: Double
    }

    /// The buckets by their bounds.
    private var buckets: [Bucket]

    /// Reads a family from metrics in Prometheus's text format.
    ///
    /// Series of the family with other labels than `le` are added up. The result is nil if the family is absent.
    package init?(_ family: String, in text: String) {
        let prefix = "\(family)_bucket{"
        var counts: [Double: Double] = [:]
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: prefix.utf8) {
            guard let bucket = Self.bucket(String(Substring(line.dropFirst(prefix.utf8.count)))) else { continue }
            counts[bucket.bound, default: 0] += bucket.count
        }
        guard !counts.isEmpty else { return nil }
        buckets = counts.map { Bucket(bound: $0.key, count: $0.value) }.sorted { $0.bound < $1.bound }
    }

    private init(buckets: [Bucket]) { self.buckets = buckets }

    /// Reads the rest of a bucket's line, such as `le="0.5"} 7`.
    private static func bucket(_ rest: String) -> Bucket? {
        guard let end = rest.lastIndex(of: "}") else { return nil }
        let labels = rest[..<end].split(separator: ",").map {
            $0.split(separator: "\"", omittingEmptySubsequences: false)
        }
        let value = rest[rest.index(after: end)...].split(separator: " ").first
        guard let label = labels.first(where: { $0.first == "le=" && $0.count > 1 }), let value,
            let bound = label[1] == "+Inf" ? .infinity : Double(label[1]), let count = Double(value), !bound.isNaN,
            count.isFinite, count >= 0
        else { return nil }
        return Bucket(bound: bound, count: count)
    }

    /// The number of durations.
    package var count: Double { buckets.last?.count ?? 0 }

    /// Returns what was added since an earlier state, or nil if that is no earlier state of this histogram.
    package func since(_ earlier: LatencyHistogram) -> LatencyHistogram? {
        guard buckets.map(\.bound) == earlier.buckets.map(\.bound) else { return nil }
        let added = zip(buckets, earlier.buckets).map { Bucket(bound: $0.bound, count: $0.count - $1.count) }
        return added.contains { $0.count < 0 } ? nil : LatencyHistogram(buckets: added)
    }

    /// Returns the duration in seconds that a share of the durations doesn't exceed, or nil if there are none.
    ///
    /// Within a bucket the durations count as evenly spread. One beyond the last finite bound counts as that bound.
    package func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        let rank = share * count
        var below = Bucket(bound: 0, count: 0)
        for bucket in buckets {
            guard bucket.count < rank || bucket.count == 0 else {
                guard bucket.bound.isFinite, bucket.count > below.count else { return below.bound }
                let part = (rank - below.count) / (bucket.count - below.count)
                return below.bound + (bucket.bound - below.bound) * part
            }
            below = bucket
        }
        return below.bound
    }
}
