/// A table on the screen: a line of headings and a line for each row.
struct ScreenTable {
    /// A column, and the place of the texts in it.
    struct Column {
        let title: String
        let width: Int
        var isNumber = false
    }

    /// A line of the table.
    struct Row {
        let cells: [StyledText]
        /// True for a line that says more about the row before it, and is not counted.
        let isDetail: Bool

        init(_ cells: [StyledText], isDetail: Bool = false) {
            self.cells = cells
            self.isDetail = isDetail
        }
    }

    /// The space between two columns.
    private static let gap = 2

    /// The columns with fixed widths, left to right.
    ///
    /// One column without a width takes the room that the others leave.
    let columns: [Column]
    let rows: [Row]
    /// The width of the whole table.
    let width: Int
    /// True if the rows are all that there are, so that those that don't fit are counted.
    var countsRest = true

    /// The headings and the rows.
    ///
    /// If there are more rows than lines, the last line says how many are not shown.
    func lines(rows limit: Int) -> [StyledText] {
        let heading = line(columns.map { StyledText($0.title, .bold) })
        let shown = max(0, limit - 1)
        let rest = rows.dropFirst(shown).count { !$0.isDetail }
        guard countsRest, rows.count > limit, rest > 0 else {
            return [heading] + rows.prefix(limit).map { line($0.cells) }
        }
        let more = limit > 0 ? [StyledText("and \(rest) more", .dim)] : []
        return [heading] + rows.prefix(shown).map { line($0.cells) } + more
    }

    private var flexibleWidth: Int {
        width - columns.reduce(0) { $0 + $1.width } - Self.gap * (columns.count - 1)
    }

    private func line(_ cells: [StyledText]) -> StyledText {
        var line: StyledText = ""
        for (index, (cell, column)) in zip(cells, columns).enumerated() {
            let width = column.width > 0 ? column.width : max(0, flexibleWidth)
            let cell = cell.cut(to: width)
            let isLast = index == columns.count - 1
            line += column.isNumber ? cell.indented(to: width) : isLast ? cell : cell.padded(to: width)
            if !isLast { line += StyledText(String(repeating: " ", count: Self.gap)) }
        }
        return line
    }
}
