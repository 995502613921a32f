/// The values of a text's series, by their names with labels.
struct ScrapedMetrics: Equatable {
    private(set) var values: [String: Double] = [:]

    /// Reads the series of one metric, or of all.
    init(_ text: String, of name: String? = nil) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            let series = String(line[..<space])
            let family = series.prefix { $0 != "{" }
            guard let name else {
                values[series] = value
                continue
            }
            if family == name || ["_bucket", "_sum", "_count"].contains(where: { family == name + $0 }) {
                values[series] = value
            }
        }
    }

    subscript(series: String) -> Double? { values[series] }

    /// The sum of all series.
    var sum: Double { values.values.reduce(0, +) }
}
