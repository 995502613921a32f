import PrometheusMetrics
import Testing

@Suite("The metrics' text")
struct PrometheusTextTests {
    private func text(_ family: MetricFamily, _ series: [MetricSeries]) -> String {
        var collection = MetricsCollection()
        collection.add(family, series)
        return collection.text
    }

    @Test("A metric has its help and its type even without a series.")
    func empty() {
        let text = text(MetricFamily(.gauge, "depth_meters", "Depth."), [])
        #expect(text == "# HELP depth_meters Depth.\n# TYPE depth_meters gauge\n")
    }

    @Test("In help, backslashes and line feeds are escaped. In a label's value, quotes are too.")
    func escapes() {
        let family = MetricFamily(.counter, "calls_total", "A \"call\" \\ a\nline.", labels: ["name"])
        let text = text(family, [MetricSeries(["a\"b\\c\nd"], .integer(1))])
        #expect(
            text == #"""
                # HELP calls_total A "call" \\ a\nline.
                # TYPE calls_total counter
                calls_total{name="a\"b\\c\nd"} 1

                """#
        )
    }

    @Test(
        "Numbers are written as Go reads them.",
        arguments: [
            (0, "0"), (1, "1"), (-2, "-2"), (0.5, "0.5"), (0.00005, "5e-05"), (1e300, "1e+300"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)]
    )
    func numbers(_ number: Double, _ written: String) {
        #expect(text(MetricFamily(.gauge, "x", "X."), [MetricSeries(.number(number))]).hasSuffix("\nx \(written)\n"))
    }

    @Test("A histogram has a bucket for each bound and for all, the sum and the count.")
    func histogram() {
        let family = MetricFamily(.histogram(bounds: [0.5, 1]), "wait_seconds", "Waits.", labels: ["kind"])
        let value = HistogramValue(upToBounds: [1, 3], count: 4, sum: 7.25)
        #expect(
            text(family, [MetricSeries(["a"], .histogram(value))]) == """
                # HELP wait_seconds Waits.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{kind="a",le="0.5"} 1
                wait_seconds_bucket{kind="a",le="1"} 3
                wait_seconds_bucket{kind="a",le="+Inf"} 4
                wait_seconds_sum{kind="a"} 7.25
                wait_seconds_count{kind="a"} 4

                """
        )
    }

    @Test("Metrics are sorted by name, and series by their labels.")
    func order() {
        var collection = MetricsCollection()
        let family = MetricFamily(.gauge, "b", "B.", labels: ["x", "y"])
        collection.add(family, [MetricSeries(["2", "1"], .integer(3)), MetricSeries(["1", "2"], .integer(2))])
        collection.add(MetricFamily(.gauge, "a", "A."), [MetricSeries(.integer(9))])
        collection.add(family, [MetricSeries(["1", "1"], .integer(1))])
        let lines = collection.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines == ["a 9", #"b{x="1",y="1"} 1"#, #"b{x="1",y="2"} 2"#, #"b{x="2",y="1"} 3"#])
    }

    @Test("Past its limit, a metric's further series are added up in one.")
    func bound() {
        let family = MetricFamily(.counter, "c_total", "C.", labels: ["x", "y"], maxSeries: 2)
        let series = (1...4).map { MetricSeries(["\($0)", "a"], .integer($0)) }
        let lines = text(family, series + [MetricSeries(["other", "other"], .integer(10))]).split(separator: "\n")
        #expect(
            lines.dropFirst(2) == [
                #"c_total{x="1",y="a"} 1"#, #"c_total{x="2",y="a"} 2"#, #"c_total{x="other",y="other"} 17"#,
            ]
        )
    }

    @Test("Histograms past the limit are added up by bucket, and numbers as numbers.")
    func boundOfHistograms() {
        let family = MetricFamily(.histogram(bounds: [1]), "h", "H.", labels: ["x"], maxSeries: 0)
        let value = HistogramValue(upToBounds: [1], count: 2, sum: 3)
        let series = ["a", "b"].map { MetricSeries([$0], .histogram(value)) }
        #expect(text(family, series).hasSuffix("h_sum{x=\"other\"} 6\nh_count{x=\"other\"} 4\n"))
        let gauge = MetricFamily(.gauge, "g", "G.", labels: ["x"], maxSeries: 0)
        let numbers = [MetricSeries(["a"], .number(0.5)), MetricSeries(["b"], .integer(1))]
        #expect(text(gauge, numbers).hasSuffix("g{x=\"other\"} 1.5\n"))
    }
}
