/// The values of all metrics at one time.
package struct MetricsCollection: Sendable {
    private struct Family: Sendable {
        let declaration: MetricFamily
        var series: [MetricSeries] = []
        /// The series past the family's limit, added up.
        var others: MetricSeries.Value?
    }

    private var families: [String: Family] = [:]

    /// Creates a collection without metrics.
    package init() {}

    /// Adds series to a metric, which is shown even if it has none.
    package mutating func add(_ declaration: MetricFamily, _ series: some Sequence<MetricSeries>) {
        var family = families.removeValue(forKey: declaration.name) ?? Family(declaration: declaration)
        for each in series {
            if family.series.count < declaration.maxSeries, !Self.isOther(each) {
                family.series.append(each)
            } else {
                family.others = family.others.map { $0 + each.value } ?? each.value
            }
        }
        families[declaration.name] = family
    }

    private static func isOther(_ series: MetricSeries) -> Bool {
        !series.labels.isEmpty && series.labels.allSatisfy { $0 == MetricFamily.other }
    }

    /// The metrics in version 0.0.4 of Prometheus's text format, sorted by name and labels.
    package var text: String {
        var text = PrometheusText()
        for family in families.values.sorted(by: { $0.declaration.name < $1.declaration.name }) {
            let declaration = family.declaration
            var series = family.series
            if let others = family.others {
                series.append(MetricSeries(declaration.labels.map { _ in MetricFamily.other }, others))
            }
            series.sort { $0.labels.lexicographicallyPrecedes($1.labels) }
            text.append(declaration, series)
        }
        return text.text
    }
}
