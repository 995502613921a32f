/// Rows of a label and a text, with the texts in one column.
struct AlignedRows {
    private var rows: [(label: String, text: String)] = []

    /// Appends a row.
    mutating func add(_ label: String, _ text: String) { rows.append((label, text)) }

    /// The rows as lines.
    var text: String {
        let width = (rows.map(\.label.count).max() ?? 0) + 2
        return rows.map { $0.label.padded(to: width) + $0.text }.joined(separator: "\n")
    }
}
