package import PrometheusMetrics
import TokenCache

/// A metric of the daemon: its declaration, and the way to read it.
package struct DaemonMetric: Sendable {
    /// The declaration.
    package let family: MetricFamily
    /// Reads the series of a metric that the parts of the daemon count by themselves.
    ///
    /// It is nil for a metric that swift-metrics' instruments count.
    let read: (@Sendable (MetricsSnapshot) -> [MetricSeries])?

    /// All metrics of the daemon.
    package static let all: [DaemonMetric] =
        requests + mints + tenants + provisioning + cache + fleet + connections + users + daemon + process + instruments

    private init(_ family: MetricFamily, _ read: (@Sendable (MetricsSnapshot) -> [MetricSeries])?) {
        self.family = family
        self.read = read
    }
}

// MARK: Declarations

extension DaemonMetric {
    /// Declares a metric with labels.
    static func series(
        _ kind: MetricFamily.Kind,
        _ name: String,
        _ help: String,
        labels: [String],
        maxSeries: Int = MetricFamily.defaultMaxSeries,
        _ read: @escaping @Sendable (MetricsSnapshot) -> [MetricSeries]
    ) -> DaemonMetric {
        DaemonMetric(MetricFamily(kind, name, help, labels: labels, maxSeries: maxSeries), read)
    }

    /// Declares a counter without labels.
    static func counter(
        _ name: String,
        _ help: String,
        _ read: @escaping @Sendable (MetricsSnapshot) -> Int
    ) -> DaemonMetric {
        DaemonMetric(MetricFamily(.counter, name, help)) { [MetricSeries(.integer(read($0)))] }
    }

    /// Declares a gauge without labels, which has no series while it has no value.
    static func gauge(
        _ name: String,
        _ help: String,
        _ read: @escaping @Sendable (MetricsSnapshot) -> MetricSeries.Value?
    ) -> DaemonMetric {
        DaemonMetric(MetricFamily(.gauge, name, help)) { snapshot in read(snapshot).map { [MetricSeries($0)] } ?? [] }
    }

    /// Declares a histogram of a time.
    static func histogram(
        _ name: String,
        _ help: String,
        bounds: [Double],
        _ read: @escaping @Sendable (MetricsSnapshot) -> LatencyHistogram
    ) -> DaemonMetric {
        DaemonMetric(MetricFamily(.histogram(bounds: bounds), name, help)) { snapshot in
            let latency = read(snapshot)
            let counts = bounds.map { latency.count(upTo: $0) }
            let value = HistogramValue(upToBounds: counts, count: latency.count, sum: latency.sum)
            return [MetricSeries(.histogram(value))]
        }
    }

    /// Declares a metric that swift-metrics' instruments count.
    static func instrument(
        _ kind: MetricFamily.Kind,
        _ name: String,
        _ help: String,
        labels: [String] = []
    ) -> DaemonMetric {
        DaemonMetric(MetricFamily(kind, name, help, labels: labels), nil)
    }
}
