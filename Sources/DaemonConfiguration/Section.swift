import Yams

/// One mapping of the file, whose keys are taken out one by one; what is left then is unknown.
struct Section {
    /// The key with those around it, by dots; empty for the file's outermost mapping.
    let path: String
    /// Where it begins.
    let line: Int?
    private var entries: [(key: String, line: Int?, value: Node)] = []
    /// Keys that stand there once more, such as `1` and `"1"`, which YAML tells apart.
    private(set) var repeated: [(key: String, line: Int?)] = []

    /// Reads a mapping; nil where it is something else.
    init?(_ node: Node, path: String, line: Int?) {
        guard case .mapping(let mapping) = node else { return nil }
        self.path = path
        self.line = line
        for (key, value) in mapping {
            let name = key.string ?? ""
            if entries.contains(where: { $0.key == name }) {
                repeated.append((name, key.mark?.line))
            } else {
                entries.append((name, key.mark?.line, value))
            }
        }
    }

    /// All keys with their lines.
    var keys: [(key: String, line: Int?)] { entries.map { ($0.key, $0.line) } }

    /// Takes a key's value out; nil where it isn't there.
    mutating func take(_ key: String) -> Item? {
        guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
        let entry = entries.remove(at: index)
        return Item(path: dotted(key), line: entry.line ?? entry.value.mark?.line, node: entry.value)
    }

    /// A key of this section with those around it.
    func dotted(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}

/// One value of the file, with where it stands.
struct Item {
    let path: String
    let line: Int?
    let node: Node

    /// The text of a scalar; nil for a list, a mapping or nothing.
    var text: String? {
        guard case .scalar(let scalar) = node, !isNull else { return nil }
        return scalar.string
    }

    /// Whether the value was left out.
    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// Whether it is written without quotes.
    var isPlain: Bool {
        guard case .scalar(let scalar) = node else { return false }
        return scalar.style == .plain
    }

    /// The elements of a list; nil where it is something else.
    var elements: [Item]? {
        guard case .sequence(let sequence) = node else { return nil }
        return sequence.enumerated().map { index, node in
            Item(path: "\(path)[\(index)]", line: node.mark?.line ?? line, node: node)
        }
    }
}
