import OperatorReplies

/// The live screen's lines, made from what was learned, the window's size and the time.
package struct TopScreen {
    /// The smallest window in which the tables have their columns and at least one row each.
    static let smallest = WindowSize(columns: 64, lines: 17)
    /// The narrowest window that has two tables side by side.
    private static let twoTables = 116
    /// The lines without those of the tables: the header, and the keys.
    private var fixedLines: Int { provisions == nil ? 9 : 10 }

    let state: TopState
    let size: WindowSize
    /// The time since the start of the tool.
    let now: Duration
    /// The wall clock's time, for display.
    let time: String
    /// The time between two looks, in seconds.
    let interval: Double

    package init(_ state: TopState, size: WindowSize, now: Duration, time: String, interval: Double) {
        self.state = state
        self.size = size
        self.now = now
        self.time = time
        self.interval = interval
    }

    /// As many lines as the window has, none wider than it.
    package var lines: [StyledText] {
        guard size.columns >= Self.smallest.columns, size.lines >= Self.smallest.lines else { return tooSmall }
        let content = state.showsHelp ? help : header + tables
        let room = size.lines - 1
        let filled = content.prefix(room) + Array(repeating: "", count: max(0, room - content.count))
        return (filled + [keys]).map { $0.cut(to: size.columns) }
    }

    private var tooSmall: [StyledText] {
        let lines: [StyledText] = [
            StyledText("The window is too small.", .warning),
            StyledText("It has \(size.columns) x \(size.lines) characters,"),
            StyledText("top needs \(Self.smallest.columns) x \(Self.smallest.lines)."), "",
            StyledText("q quits", .dim),
        ]
        return lines.prefix(max(0, size.lines)).map { $0.cut(to: size.columns) }
    }

    private var keys: StyledText {
        let keys = [
            ("q", "quit"), ("space", state.isPaused ? "go on" : "pause"),
            ("t", "tenants by \(state.order.next.rawValue)"), ("?", "help"),
        ]
        return keys.reduce(" ") { $0 + StyledText($1.0, .name) + StyledText(" \($1.1)   ", .dim) }
    }

    /// A line with a text at the left and one at the right end.
    func line(_ left: StyledText, _ right: StyledText) -> StyledText {
        left.cut(to: max(0, size.columns - right.columns - 2)).padded(to: size.columns - right.columns - 1) + right
    }

    // MARK: Tables

    /// The tables of tenants, peers and refreshes in the room that the header leaves.
    private var tables: [StyledText] {
        guard let look = state.content.history.last else { return [] }
        let (peers, refreshes) = (peersTable(look), refreshesTable(look))
        guard size.columns >= Self.twoTables else {
            return stacked([tenantsTable(look, width: size.columns - 2), peers, refreshes])
        }
        let room = size.lines - fixedLines - 1
        let tenants = tenantsTable(look, width: size.columns - 2)
        // Each of the three tables has a line of headings.
        let rows = Self.shares(of: room - 2, among: [tenants.rows.count, max(peers.rows.count, refreshes.rows.count)])
        return tenants.lines(rows: rows[0]).map { " " + $0 } + [""]
            + sideBySide(peers.lines(rows: rows[1]), refreshes.lines(rows: rows[1]))
    }

    private func stacked(_ tables: [ScreenTable]) -> [StyledText] {
        let room = size.lines - fixedLines - 2 * tables.count + 1
        let rows = Self.shares(of: room, among: tables.map(\.rows.count))
        let parts = zip(tables, rows).map { table, rows in table.lines(rows: rows).map { " " + $0 } }
        return Array(parts.joined(separator: [""]))
    }

    private func sideBySide(_ left: [StyledText], _ right: [StyledText]) -> [StyledText] {
        (0..<max(left.count, right.count)).map { number in
            let first: StyledText = number < left.count ? left[number] : ""
            let second: StyledText = number < right.count ? right[number] : ""
            return " " + first.padded(to: tableWidth) + "   " + second
        }
    }

    /// The width of the tables of peers and refreshes.
    var tableWidth: Int { size.columns >= Self.twoTables ? (size.columns - 5) / 2 : size.columns - 2 }

    /// Shares lines among tables, one after the other in turns, so that a long table leaves room for the others.
    static func shares(of lines: Int, among wanted: [Int]) -> [Int] {
        var shares = wanted.map { _ in 0 }
        var left = lines
        while left > 0, wanted.indices.contains(where: { shares[$0] < wanted[$0] }) {
            for index in wanted.indices where left > 0 && shares[index] < wanted[index] {
                shares[index] += 1
                left -= 1
            }
        }
        return shares
    }
}
