import CoreMetrics
import Synchronization

/// Counts observations by size.
///
/// It takes a lock, so it is no instrument for what happens at each request.
final class HistogramInstrument: RecorderHandler, TimerHandler, Instrument {
    private let bounds: [Double]
    private let observed: Mutex<HistogramValue>

    init(bounds: [Double]) {
        self.bounds = bounds
        observed = Mutex(HistogramValue(upToBounds: bounds.map { _ in 0 }, count: 0, sum: 0))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        observed.withLock { observed in
            for (index, bound) in bounds.enumerated() where value <= bound { observed.upToBounds[index] += 1 }
            observed.count += 1
            observed.sum += value
        }
    }

    var value: MetricSeries.Value? { .histogram(observed.withLock { $0 }) }
}
