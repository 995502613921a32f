/// A value of a YAML document: a scalar, a sequence or a mapping, with its position in the text.
struct Node: Sendable {
    /// The value.
    enum Value: Sendable {
        /// A text. It is plain if it is written without quotes and on no line of its own.
        case scalar(String, isPlain: Bool)
        /// A list.
        case sequence([Node])
        /// The entries in the order of the text.
        case mapping([(key: Node, value: Node)])
    }

    /// The line, from 1.
    let line: Int
    let value: Value

    /// The text of a scalar, or nil for any other value.
    var string: String? {
        guard case .scalar(let text, _) = value else { return nil }
        return text
    }
}
