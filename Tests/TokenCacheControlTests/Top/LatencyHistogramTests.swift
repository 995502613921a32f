import Testing

@testable import tokencachectl

@Suite("The histograms of the daemon's metrics")
struct LatencyHistogramTests {
    private func text(_ counts: [(String, Int)]) -> String {
        "# TYPE a_seconds histogram\n" + counts.map { "a_seconds_bucket{le=\"\($0.0)\"} \($0.1)\n" }.joined()
            + "a_seconds_sum 7\na_seconds_count 10\nb_seconds_bucket{le=\"1\"} 99\n"
    }

    @Test("Quantiles are found within the buckets.")
    func quantiles() throws {
        let histogram = try #require(
            LatencyHistogram("a_seconds", in: text([("0.1", 0), ("0.5", 8), ("1", 8), ("+Inf", 10)]))
        )
        #expect(histogram.count == 10)
        #expect(histogram.quantile(0.4).map { abs($0 - 0.3) < 1e-9 } == true)
        #expect(histogram.quantile(0.8) == 0.5)
        #expect(histogram.quantile(0.99) == 1, "the last finite bound")
        #expect(histogram.quantile(0).map { (0...0.1).contains($0) } == true)
    }

    @Test("Series with other labels are added up.")
    func labels() throws {
        let series = """
            a_seconds_bucket{tenant="x,le=\\"9\\"",le="1"} 1
            a_seconds_bucket{le="1",tenant="y"} 2 1700000000
            a_seconds_bucket{le="+Inf"} 3
            """
        let histogram = try #require(LatencyHistogram("a_seconds", in: series))
        #expect(histogram.count == 3)
        #expect(histogram.quantile(1).map { (0...1).contains($0) } == true)
    }

    @Test("The difference of two states is what was added, and there is none if a count went back.")
    func difference() throws {
        let earlier = try #require(LatencyHistogram("a_seconds", in: text([("1", 5), ("+Inf", 5)])))
        let later = try #require(LatencyHistogram("a_seconds", in: text([("1", 5), ("+Inf", 9)])))
        #expect(later.since(earlier)?.count == 4)
        #expect(later.since(earlier)?.quantile(0.5) == 1)
        #expect(earlier.since(later) == nil)
        let other = try #require(LatencyHistogram("a_seconds", in: text([("2", 5), ("+Inf", 5)])))
        #expect(later.since(other) == nil)
        #expect(later.since(later)?.quantile(0.5) == nil)
    }

    @Test(
        "Lines that are no bucket are passed over.",
        arguments: [
            "", "a_seconds_bucket{", "a_seconds_bucket{le=\"1\"}", "a_seconds_bucket{le=\"x\"} 1",
            "a_seconds_bucket{le=\"1\"} NaN", "a_seconds_bucket{le=\"1\"} -1", "a_seconds_bucket{le} 1",
            "a_seconds_bucket{le=\"NaN\"} 1",
        ]
    )
    func malformed(text: String) {
        #expect(LatencyHistogram("a_seconds", in: text) == nil)
    }
}
