import SafeText

/// A line of the screen, or a part of one: pieces of text, each with its look.
///
/// The text is safe for a terminal, no matter where it comes from.
package struct StyledText: Sendable, Equatable {
    /// A piece with one look.
    package struct Run: Sendable, Equatable {
        package var text: String
        package var emphasis: Emphasis
    }

    package private(set) var runs: [Run]

    /// Creates a line from a text, in which unsafe characters are replaced.
    package init(_ text: String, _ emphasis: Emphasis = .plain) {
        runs = text.isEmpty ? [] : [Run(text: text.printable, emphasis: emphasis)]
    }

    private init(runs: [Run]) { self.runs = runs }

    /// The number of columns on the screen.
    package var columns: Int { runs.reduce(0) { $0 + $1.text.columns } }

    /// The text without its looks.
    package var text: String { runs.map(\.text).joined() }

    /// Returns the line with spaces after it, as wide as a column.
    func padded(to width: Int) -> StyledText { self + Self.spaces(width - columns) }

    /// Returns the line with spaces before it, as wide as a column.
    func indented(to width: Int) -> StyledText { Self.spaces(width - columns) + self }

    /// Returns the line, or its beginning and an ellipsis if it is wider than a column.
    func cut(to width: Int) -> StyledText {
        guard columns > width else { return self }
        var kept: [Run] = []
        var left = width
        for run in runs {
            let columns = run.text.columns
            // The last piece needs room for the ellipsis.
            guard columns >= left else {
                kept.append(run)
                left -= columns
                continue
            }
            let text = columns == left ? run.text + " " : run.text
            kept.append(Run(text: text.cut(to: left), emphasis: run.emphasis))
            break
        }
        return StyledText(runs: kept.filter { !$0.text.isEmpty })
    }

    static func + (left: StyledText, right: StyledText) -> StyledText { StyledText(runs: left.runs + right.runs) }

    static func += (left: inout StyledText, right: StyledText) { left.runs += right.runs }

    private static func spaces(_ count: Int) -> StyledText { StyledText(String(repeating: " ", count: max(0, count))) }
}

extension StyledText: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(text) }
}
