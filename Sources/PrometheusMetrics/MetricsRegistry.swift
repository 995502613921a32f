package import CoreMetrics
import Synchronization

/// Makes the instruments of declared metrics, and reads them.
///
/// An instrument is found by its name and labels once, when it is made. Counters and gauges then take no lock and no
/// look-up, and histograms take a lock of their own. The instrument of a metric that is not declared, or is declared as
/// another type, does nothing.
package final class MetricsRegistry: MetricsFactory {
    private struct Name: Hashable {
        let family: String
        let labels: [String]
    }

    private struct State {
        var instruments: [Name: any Instrument] = [:]
        var counts: [String: Int] = [:]
    }

    private let families: [String: MetricFamily]
    private let state = Mutex(State())

    /// Creates a registry of metrics that have no series yet.
    package init(_ families: [MetricFamily]) {
        self.families = Dictionary(families.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Adds all instruments' values to a collection.
    package func collect(into collection: inout MetricsCollection) {
        let instruments = state.withLock(\.instruments)
        var series: [String: [MetricSeries]] = [:]
        for (name, instrument) in instruments {
            guard let value = instrument.value else { continue }
            series[name.family, default: []].append(MetricSeries(name.labels, value))
        }
        for family in families.values { collection.add(family, series[family.name] ?? []) }
    }

    // MARK: Instruments

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        instrument(label, dimensions) { $0 == .counter ? CounterInstrument() : nil } ?? NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        instrument(label, dimensions) { $0 == .gauge ? GaugeInstrument() : nil } ?? NOOPMetricsHandler.instance
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else {
            return instrument(label, dimensions) { $0 == .gauge ? GaugeInstrument() : nil }
                ?? NOOPMetricsHandler.instance
        }
        return histogram(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramInstrument? {
        instrument(label, dimensions) { kind in
            guard case .histogram(let bounds) = kind else { return nil }
            return HistogramInstrument(bounds: bounds)
        }
    }

    /// Returns the instrument of a series, which is made by a function if there is none.
    ///
    /// Past the family's limit of series it is the one that all further series share.
    private func instrument<Made: Instrument>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ make: (MetricFamily.Kind) -> Made?
    ) -> Made? {
        guard let family = families[label] else { return nil }
        let values = Dictionary(dimensions) { $1 }
        return state.withLock { state in
            var name = Name(family: label, labels: family.labels.map { values[$0] ?? "" })
            if state.instruments[name] == nil, state.counts[label, default: 0] >= family.maxSeries {
                name = Name(family: label, labels: family.labels.map { _ in MetricFamily.other })
            }
            if let present = state.instruments[name] { return present as? Made }
            guard let made = make(family.kind) else { return nil }
            state.instruments[name] = made
            state.counts[label, default: 0] += 1
            return made
        }
    }

    // MARK: Ends of instruments

    // A series stays after its instrument's end, because a counter that vanishes looks like a restart.

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}
