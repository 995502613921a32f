/// One mapping of the file, whose known keys are taken out one by one, so that the unknown ones are left.
struct Section {
    private struct Entry {
        let key: String
        let line: Int
        let value: Node
    }

    /// The key behind the keys that enclose it, joined by dots, or empty for the file's outermost mapping.
    let path: String
    /// The line at which it begins.
    let line: Int?
    /// The entries in the order of the file, with nil for each that was taken out.
    private var entries: [Entry?] = []
    /// The positions of the entries, as there may be a thousand tenants.
    private var positions: [String: Int] = [:]
    /// Keys that appear once more, such as `1` and `"1"`, which YAML tells apart.
    private(set) var repeated: [(key: String, line: Int)] = []

    /// Reads a mapping, or returns nil for any other node.
    init?(_ node: Node, path: String, line: Int?) {
        guard case .mapping(let mapping) = node.value else { return nil }
        self.path = path
        self.line = line
        for (key, value) in mapping {
            let name = key.string ?? ""
            if positions[name] != nil {
                repeated.append((name, key.line))
            } else {
                positions[name] = entries.count
                entries.append(Entry(key: name, line: key.line, value: value))
            }
        }
    }

    /// All keys with their lines.
    var keys: [(key: String, line: Int)] { entries.compactMap(\.self).map { ($0.key, $0.line) } }

    /// Takes a key's value out, or returns nil if it isn't there.
    mutating func take(_ key: String) -> Item? {
        guard let position = positions.removeValue(forKey: key), let entry = entries[position] else { return nil }
        entries[position] = nil
        return Item(path: dotted(key), line: entry.line, node: entry.value)
    }

    /// The line of a key, or nil if it isn't there.
    func line(of key: String) -> Int? {
        positions[key].flatMap { entries[$0] }?.line
    }

    /// Returns a key of this section behind the keys that enclose it, joined by dots.
    func dotted(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
