import CoreMetrics
import PrometheusMetrics
import Testing

@Suite("The metrics' registry")
struct MetricsRegistryTests {
    private func lines(_ registry: MetricsRegistry) -> [String] {
        var collection = MetricsCollection()
        registry.collect(into: &collection)
        return collection.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }

    @Test("A counter counts from zero, and the same name and labels are the same counter.")
    func counter() {
        let registry = MetricsRegistry([MetricFamily(.counter, "c_total", "C.", labels: ["x", "y"])])
        let counter = Counter(label: "c_total", dimensions: [("y", "2"), ("x", "1")], factory: registry)
        #expect(lines(registry) == [#"c_total{x="1",y="2"} 0"#])
        counter.increment(by: 3)
        Counter(label: "c_total", dimensions: [("x", "1"), ("y", "2")], factory: registry).increment()
        counter.reset()
        #expect(lines(registry) == [#"c_total{x="1",y="2"} 4"#])
    }

    @Test("A gauge has no series before its first value, and then its last value.")
    func gauge() {
        let registry = MetricsRegistry([MetricFamily(.gauge, "g", "G.")])
        let gauge = Gauge(label: "g", factory: registry)
        #expect(lines(registry).isEmpty)
        gauge.record(2.5)
        #expect(lines(registry) == ["g 2.5"])
        let meter = Meter(label: "g", factory: registry)
        meter.increment(by: 2.0)
        meter.decrement(by: 0.5)
        #expect(lines(registry) == ["g 4"])
        meter.set(7)
        #expect(lines(registry) == ["g 7"])
    }

    @Test("Timers and recorders observe in seconds, up to and including each bound.")
    func histogram() {
        let registry = MetricsRegistry([MetricFamily(.histogram(bounds: [0.5, 1]), "h_seconds", "H.")])
        Timer(label: "h_seconds", factory: registry).recordMilliseconds(500)
        let recorder = Recorder(label: "h_seconds", factory: registry)
        recorder.record(1)
        recorder.record(2.5)
        #expect(
            lines(registry) == [
                #"h_seconds_bucket{le="0.5"} 1"#, #"h_seconds_bucket{le="1"} 2"#, #"h_seconds_bucket{le="+Inf"} 3"#,
                "h_seconds_sum 4", "h_seconds_count 3",
            ]
        )
    }

    @Test("What is not declared, or is of another type, is not exported.")
    func undeclared() {
        let registry = MetricsRegistry([MetricFamily(.gauge, "g", "G.")])
        Counter(label: "unknown_total", factory: registry).increment()
        Counter(label: "g", factory: registry).increment()
        Timer(label: "g", factory: registry).recordSeconds(1)
        Recorder(label: "g", factory: registry).record(1)
        #expect(lines(registry).isEmpty)
    }

    @Test("Past a metric's limit, further series share one instrument.")
    func bound() {
        let registry = MetricsRegistry([MetricFamily(.counter, "c_total", "C.", labels: ["x"], maxSeries: 2)])
        for index in 1...5 {
            Counter(label: "c_total", dimensions: [("x", "\(index)")], factory: registry).increment(by: index)
        }
        Counter(label: "c_total", dimensions: [("x", "1")], factory: registry).increment()
        #expect(lines(registry) == [#"c_total{x="1"} 2"#, #"c_total{x="2"} 2"#, #"c_total{x="other"} 12"#])
    }

    @Test("Counting from several tasks at once loses nothing.")
    func concurrency() async {
        let registry = MetricsRegistry([
            MetricFamily(.counter, "c_total", "C."), MetricFamily(.gauge, "g", "G."),
        ])
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "c_total", factory: registry)
                    let meter = Meter(label: "g", factory: registry)
                    for _ in 0..<1_000 {
                        counter.increment()
                        meter.increment(by: 1.0)
                    }
                }
            }
        }
        #expect(lines(registry) == ["c_total 8000", "g 8000"])
    }
}
