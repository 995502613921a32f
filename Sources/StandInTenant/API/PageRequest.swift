import Crypto
import FoundationEssentials

/// The page of a list that a request asks for.
///
/// A cursor is the number of elements before the page, so that a client that deletes what it has read skips as many. It
/// belongs to one list, and is of no use for another.
struct PageRequest: Sendable, Equatable {
    static let usualLimit = 20
    static let limits = 1...100

    var limit = Self.usualLimit
    /// The number of elements before the page.
    var offset = 0
    /// The list that the cursor belongs to: the path and the parameters that choose the elements.
    let list: String
    /// The name of the cursor's parameter.
    let cursorName: String

    /// Reads `limit` and the cursor.
    init(_ parameters: [String: String], cursor: String, of path: String) throws(StandInTenant.Fault) {
        let choice = parameters.filter { name, _ in name != cursor && name != "limit" }
            .sorted { one, other in one.key < other.key }
            .map { name, value in "\(name)=\(QueryText.encode(value))" }
        list = path + "?" + choice.joined(separator: "&")
        cursorName = cursor
        if let text = parameters["limit"] {
            guard let limit = Int(text), Self.limits.contains(limit), String(limit) == text else {
                throw StandInTenant.Fault("limit is “\(text)”")
            }
            self.limit = limit
        }
        if let text = parameters[cursor] {
            guard let offset = Self.offset(text), Self.cursor(offset, list) == text else {
                throw StandInTenant.Fault("\(cursor) is no cursor of this list")
            }
            self.offset = offset
        }
    }

    /// The path and query of this page.
    var target: String { target(offset == 0 ? nil : offset) }

    /// The path and query of the page that follows.
    var following: String { target(offset + limit) }

    /// The elements of this page, and true if others follow.
    func slice<Element>(_ elements: [Element]) -> (page: ArraySlice<Element>, isLast: Bool) {
        let rest = elements.dropFirst(offset)
        return (rest.prefix(limit), rest.count <= limit)
    }

    private func target(_ offset: Int?) -> String {
        let parts = [
            list.hasSuffix("?") ? "" : "&", "limit=\(limit)",
            offset.map { "&\(cursorName)=\(Self.cursor($0, list))" } ?? "",
        ]
        return list + parts.joined()
    }

    private static func cursor(_ offset: Int, _ list: String) -> String {
        let digest = SHA256.hash(data: Data("\(offset) \(list)".utf8)).prefix(6)
        return "\(offset)-" + digest.map { byte in String(byte, radix: 16) }.joined()
    }

    private static func offset(_ cursor: String) -> Int? {
        cursor.split(separator: "-").first.flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }
    }
}
