import CoreMetrics
import Synchronization

/// Counts without a lock.
final class CounterInstrument: CounterHandler, Instrument {
    private let count = Atomic(0)

    func increment(by amount: Int64) { count.add(Int(amount), ordering: .relaxed) }

    /// Does nothing, as a counter of Prometheus only starts again with its process.
    func reset() {}

    var value: MetricSeries.Value? { .integer(count.load(ordering: .relaxed)) }
}
