import OperatorReplies
import SafeText

/// Lays pages of the cache's content out for people.
package struct EntriesView {
    private static let header = ["TENANT", "USER", "SCOPE", "STATE", "AGE", "LEFT", "LAST USED", "REFRESH", "TOKEN"]

    private let style: Style
    private var table: Table

    /// Creates a view without entries.
    package init(_ display: Display = .plain) {
        style = display.style
        table = Table(Self.header, elastic: [0, 1, 2], display)
    }

    /// Returns the lines of the next page, which follow those of the pages before.
    package mutating func text(of page: EntriesPage) -> String {
        table.lines(page.entries.map { Self.cells(of: $0, style) }).joined(separator: "\n")
    }

    /// Returns a single page, with the option that lists the next one if there is one.
    package static func text(of page: EntriesPage, _ display: Display = .plain) -> String {
        var view = EntriesView(display)
        let more = page.next.map { ["more: --after \($0.printable)"] } ?? []
        return ([view.text(of: page)] + more).joined(separator: "\n")
    }

    private static func cells(of entry: EntriesPage.Entry, _ style: Style) -> [String] {
        [
            entry.tenant.printable,
            entry.owner.printable,
            entry.scope.isEmpty ? "-" : entry.scope.printable,
            style.text(of: entry.state),
            Double(entry.age).durationText,
            Double(entry.expiresIn).durationText,
            entry.lastUsed.map { Double($0).durationText } ?? "never",
            entry.nextRefresh.map { "in \(Double($0).durationText)" } ?? "-",
            entry.fingerprint.printable,
        ]
    }
}
