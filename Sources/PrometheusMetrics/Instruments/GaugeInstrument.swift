import CoreMetrics
import Synchronization

/// Holds the last number that it was given, without a lock.
final class GaugeInstrument: MeterHandler, RecorderHandler, Instrument {
    /// The number's bits, or those of NaN before the first one.
    private let bits = Atomic(Double.nan.bitPattern)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func decrement(by amount: Double) { increment(by: -amount) }

    func increment(by amount: Double) {
        var known = bits.load(ordering: .relaxed)
        while true {
            let before = Double(bitPattern: known)
            let sum = (before.isNaN ? 0 : before) + amount
            let (isExchanged, present) = bits.compareExchange(
                expected: known,
                desired: sum.bitPattern,
                ordering: .relaxed
            )
            if isExchanged { return }
            known = present
        }
    }

    /// The number, or nil before the first one.
    var value: MetricSeries.Value? {
        let number = Double(bitPattern: bits.load(ordering: .relaxed))
        return number.isNaN ? nil : .number(number)
    }
}
