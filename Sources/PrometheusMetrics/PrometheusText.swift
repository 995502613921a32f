/// Writes metrics in version 0.0.4 of Prometheus's text format.
///
/// The format is described in Prometheus's documentation under "Exposition formats".
package struct PrometheusText {
    /// The content type of the text.
    package static let contentType = "text/plain; version=0.0.4"

    /// The lines so far.
    private(set) var text = ""

    /// Appends a metric with its series.
    mutating func append(_ family: MetricFamily, _ series: [MetricSeries]) {
        text += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
        text += "# TYPE \(family.name) \(family.kind.name)\n"
        for each in series {
            let labels = zip(family.labels, each.labels).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
            append(family, labels.joined(separator: ","), each.value)
        }
    }

    private mutating func append(_ family: MetricFamily, _ labels: String, _ value: MetricSeries.Value) {
        switch value {
        case .integer(let number): append(family.name, labels, String(number))
        case .number(let number): append(family.name, labels, Self.number(number))
        case .histogram(let histogram): append(family, labels, histogram)
        }
    }

    private mutating func append(_ family: MetricFamily, _ labels: String, _ histogram: HistogramValue) {
        guard case .histogram(let bounds) = family.kind else { return }
        let prefix = labels.isEmpty ? "" : labels + ","
        for (bound, count) in zip(bounds + [.infinity], histogram.upToBounds + [histogram.count]) {
            append(family.name + "_bucket", "\(prefix)le=\"\(Self.number(bound))\"", String(count))
        }
        append(family.name + "_sum", labels, Self.number(histogram.sum))
        append(family.name + "_count", labels, String(histogram.count))
    }

    private mutating func append(_ name: String, _ labels: String, _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{"
            text += labels
            text += "}"
        }
        text += " "
        text += value
        text += "\n"
    }

    /// A number as Go's `ParseFloat` reads it.
    static func number(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        guard number.isFinite else { return number > 0 ? "+Inf" : "-Inf" }
        if let whole = Int(exactly: number) { return String(whole) }
        return String(number)
    }

    /// A text with escapes for backslashes and line feeds, and for quotes if it stands in them.
    static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension MetricFamily.Kind {
    /// The type's name in the text.
    package var name: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}
