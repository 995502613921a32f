/// Reads a YAML text, which is one document.
struct YAMLDocument: ~Copyable {
    /// The most sequences and mappings that lie in one another.
    ///
    /// A configuration has five. Each takes a part of the stack.
    private static let maxDepth = 100

    private var parser: YAMLParser
    private var anchors: [String: Node] = [:]
    private var depth = 0

    private init(_ text: UnsafeBufferPointer<UInt8>) throws(YAMLError) { parser = try unsafe YAMLParser(text) }

    /// Reads a text, or returns nil if it is empty.
    static func read(_ text: String) throws(YAMLError) -> Node? {
        var text = text
        let result = text.withUTF8 { text in
            Result { () throws(YAMLError) in
                var document = try unsafe YAMLDocument(text)
                return try document.read()
            }
        }
        return try result.get()
    }

    private mutating func read() throws(YAMLError) -> Node? {
        _ = try parser.next()
        guard case .documentStart = try parser.next().kind else { return nil }
        let root = try node(parser.next())
        _ = try parser.next()
        let end = try parser.next()
        guard case .streamEnd = end.kind else {
            throw .document(problem: "but found another document", line: end.line)
        }
        return root
    }

    /// Reads the value that begins with an event.
    private mutating func node(_ event: YAMLParser.Event) throws(YAMLError) -> Node {
        switch event.kind {
        case .alias(let anchor):
            if let node = anchors[anchor] { return node }
            throw .document(problem: "found undefined alias", line: event.line)
        case .scalar(let text, let isPlain, let anchor):
            return register(Node(line: event.line, value: .scalar(text, isPlain: isPlain)), anchor)
        case .sequenceStart(let anchor):
            return register(Node(line: event.line, value: try sequence(at: event.line)), anchor)
        case .mappingStart(let anchor):
            return register(Node(line: event.line, value: try mapping(at: event.line)), anchor)
        default: throw .syntax(problem: nil, line: event.line)
        }
    }

    /// Keeps a value for the aliases until another one gets its name.
    private mutating func register(_ node: Node, _ anchor: String?) -> Node {
        if let anchor { anchors[anchor] = node }
        return node
    }

    private mutating func sequence(at line: Int) throws(YAMLError) -> Node.Value {
        try descend(at: line)
        defer { depth -= 1 }
        var elements: [Node] = []
        while true {
            let event = try parser.next()
            if case .sequenceEnd = event.kind { return .sequence(elements) }
            elements.append(try node(event))
        }
    }

    private mutating func mapping(at line: Int) throws(YAMLError) -> Node.Value {
        try descend(at: line)
        defer { depth -= 1 }
        var entries: [(key: Node, value: Node)] = []
        while true {
            let event = try parser.next()
            if case .mappingEnd = event.kind { break }
            let key = try node(event)
            entries.append((key, try node(parser.next())))
        }
        try Self.checkKeys(entries)
        return .mapping(entries)
    }

    private mutating func descend(at line: Int) throws(YAMLError) {
        guard depth < Self.maxDepth else { throw .document(problem: "it is nested too deeply", line: line) }
        depth += 1
    }

    /// Checks that no key appears twice, where `1` and `"1"` are two keys.
    private static func checkKeys(_ entries: [(key: Node, value: Node)]) throws(YAMLError) {
        var lines: [Key: Int] = [:]
        for (node, _) in entries {
            guard case .scalar(let text, let isPlain) = node.value else { continue }
            let key = Key(text: text, isPlain: isPlain)
            if let line = lines[key] { throw .repeatedKey(text, line: line) }
            lines[key] = node.line
        }
    }

    /// The key of a mapping.
    private struct Key: Hashable {
        let text: String
        let isPlain: Bool
    }
}
