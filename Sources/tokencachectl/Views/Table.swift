/// Rows of cells under a header, with the cells of a column below each other.
///
/// A table can be printed in pages: its columns don't get narrower from one page to the next.
struct Table {
    /// The width that a cell keeps however narrow the terminal is.
    private static let narrowest = 8
    private static let gap = 2

    private let header: [String]
    /// The columns that are cut first on a narrow terminal: those with names that others have chosen.
    private let elastic: Set<Int>
    private let display: Display
    private var widths: [Int]
    private var isHeaderPrinted = false

    /// Creates a table without rows.
    ///
    /// - Parameters:
    ///   - header: The names of the columns.
    ///   - elastic: The columns that are cut first on a narrow terminal.
    ///   - display: The form of the output.
    init(_ header: [String], elastic: Set<Int>, _ display: Display) {
        self.header = header
        self.elastic = elastic
        self.display = display
        widths = header.map(\.columns)
    }

    /// Returns the lines of a page, the first time with the header.
    mutating func lines(_ rows: [[String]]) -> [String] {
        widen(for: rows)
        let fitted = fitted
        let lines = rows.map { line($0, fitted) }
        defer { isHeaderPrinted = true }
        return isHeaderPrinted ? lines : [line(header.map(display.style.bold), fitted)] + lines
    }

    private mutating func widen(for rows: [[String]]) {
        for row in rows {
            for (column, cell) in row.enumerated() where column < widths.count {
                widths[column] = max(widths[column], cell.columns)
            }
        }
    }

    /// The widths of the columns on this display: on a narrow terminal the widest ones are cut first.
    private var fitted: [Int] {
        guard let width = display.width else { return widths }
        var fitted = widths
        var excess = fitted.reduce(0, +) + Self.gap * (fitted.count - 1) - width
        for columns in [elastic, Set(fitted.indices)] {
            while excess > 0, let widest = columns.max(by: { (fitted[$0], $0) < (fitted[$1], $1) }),
                fitted[widest] > Self.narrowest
            {
                fitted[widest] -= 1
                excess -= 1
            }
        }
        return fitted
    }

    private func line(_ row: [String], _ widths: [Int]) -> String {
        let cells = zip(row, widths).map { $0.cut(to: $1) }
        // The last column needs no spaces after it.
        let padded = zip(cells, widths).dropLast().map { $0.padded(to: $1) }
        return (padded + cells.suffix(1)).joined(separator: String(repeating: " ", count: Self.gap))
    }
}
