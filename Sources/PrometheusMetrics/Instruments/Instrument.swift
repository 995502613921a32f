/// The value of one series, which a program changes by swift-metrics.
protocol Instrument: AnyObject, Sendable {
    /// The present value, or nil if there is none yet.
    var value: MetricSeries.Value? { get }
}
