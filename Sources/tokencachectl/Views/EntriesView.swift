import OperatorReplies
import SafeText

/// Lays a page of the cache's content out for people.
package struct EntriesView {
    private static let header = ["TENANT", "USER", "SCOPE", "STATE", "AGE", "LEFT", "LAST USED", "REFRESH", "TOKEN"]

    private let page: EntriesPage

    package init(_ page: EntriesPage) { self.page = page }

    /// A table, and the option that lists the next page if there is one.
    package var text: String {
        let rows = [Self.header] + page.entries.map(Self.cells)
        let widths = Self.header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            // The last column needs no spaces after it.
            let cells = zip(row, widths).dropLast().map { $0.padded(to: $1) }
            return (cells + row.suffix(1)).joined(separator: "  ")
        }
        let more = page.next.map { ["more: --after \($0.printable)"] } ?? []
        return (lines + more).joined(separator: "\n")
    }

    private static func cells(of entry: EntriesPage.Entry) -> [String] {
        [
            entry.tenant.printable,
            entry.userID.map { "id:\($0.printable)" } ?? (entry.subject ?? "?").printable,
            entry.scope.printable,
            entry.state.rawValue.printable,
            Double(entry.age).durationText,
            Double(entry.expiresIn).durationText,
            entry.lastUsed.map { Double($0).durationText } ?? "never",
            entry.nextRefresh.map { "in \(Double($0).durationText)" } ?? "-",
            entry.fingerprint.printable,
        ]
    }
}
