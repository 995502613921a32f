/// Rows of a label and a text, with the texts in one column.
struct AlignedRows {
    /// The narrowest column in which texts are wrapped.
    private static let narrowest = 20
    private static let gap = 2

    private let display: Display
    private var rows: [(label: String, text: String)] = []

    init(_ display: Display) { self.display = display }

    /// Appends a row.
    mutating func add(_ label: String, _ text: String) { rows.append((label, text)) }

    /// The rows as lines.
    ///
    /// On a terminal a long text goes on below itself.
    var text: String {
        let width = (rows.map(\.label.columns).max() ?? 0) + Self.gap
        return rows.map { row in
            let lines = lines(row.text, indent: width)
            let label = display.style.bold(row.label).padded(to: width)
            return label + lines.joined(separator: "\n" + String(repeating: " ", count: width))
        }.joined(separator: "\n")
    }

    private func lines(_ text: String, indent: Int) -> [String] {
        guard let width = display.width, width - indent >= Self.narrowest else { return [text] }
        return text.wrapped(to: width - indent)
    }
}
