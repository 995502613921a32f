import DaemonRuntime
import PrometheusMetrics
import StandInTenant
import Testing

@Suite("Each metric moves", .timeLimit(.minutes(5)))
struct MetricMovesTests {
    @Test("Each declared metric has a test, and only those.")
    func completeness() {
        let names = MetricMove.all.map(\.name)
        #expect(Set(names) == Set(DaemonMetric.all.map(\.family.name)))
        #expect(Set(names).count == names.count)
    }

    @Test("Its series change by what it counts, and no counter falls.", arguments: MetricMove.all)
    func moves(_ move: MetricMove) async throws {
        switch move.subject {
        case .cache(let act):
            var cache = MovedCache()
            let exporter = MetricsExporter()
            let before = exporter.text(cache.snapshot, droppedLogLines: 0)
            try act(&cache)
            expect(move.name, before, exporter.text(cache.snapshot, droppedLogLines: 0))
        case .daemon(let act):
            try await TestDaemon.run(store: StandInStore()) { daemon in
                let before = await daemon.exporter.render()
                let kept = try await act(daemon)
                let after = await daemon.exporter.render()
                withExtendedLifetime(kept) { expect(move.name, before, after) }
            }
        case .nextDaemon(let act):
            let store = StandInStore()
            try await withStandInTenant { tenant in
                let before = try await TestDaemon.run(tenant: tenant, store: store) { daemon in
                    try await act(daemon)
                    return await daemon.exporter.render()
                }
                try await TestDaemon.run(tenant: tenant, store: store) { daemon in
                    expect(move.name, before, await daemon.exporter.render())
                }
            }
        case .constant(let value):
            try await TestDaemon.run { daemon in
                let metrics = ScrapedMetrics(await daemon.exporter.render(), of: move.name)
                let expected = try await value(daemon)
                #expect(metrics.sum == expected, "\(metrics)")
            }
        }
    }

    private func expect(_ name: String, _ before: String, _ after: String) {
        let (before, after) = (ScrapedMetrics(before, of: name), ScrapedMetrics(after, of: name))
        #expect(before != after, "\(name) does not move: \(after.values)")
        guard DaemonMetric.all.first(where: { $0.family.name == name })?.family.kind != .gauge else { return }
        for (series, value) in before.values { #expect(after[series] ?? -1 >= value, "\(series) falls") }
    }
}
