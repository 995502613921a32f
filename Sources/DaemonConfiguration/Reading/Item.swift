/// One value of the file, with its position there.
struct Item {
    /// The key behind the keys that enclose it, joined by dots.
    let path: String
    /// The line, from 1.
    let line: Int?
    let node: Node

    /// The text of a scalar, or nil for a list, a mapping or nothing.
    var text: String? {
        isNull ? nil : node.string
    }

    /// True if the value was left out.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = node.value else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// True if the value is written without quotes.
    var isPlain: Bool {
        guard case .scalar(_, isPlain: true) = node.value else { return false }
        return true
    }

    /// The elements of a list, or nil for any other value.
    var elements: [Item]? {
        guard case .sequence(let sequence) = node.value else { return nil }
        return sequence.enumerated().map { index, node in
            Item(path: "\(path)[\(index)]", line: node.line, node: node)
        }
    }
}
