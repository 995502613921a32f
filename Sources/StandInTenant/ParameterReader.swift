/// Reads what follows a behaviour's name: parameters, each after a hyphen.
package struct ParameterReader {
    private let text: String
    private var rest: Substring?

    /// Reads the parameters of a text that begins with a behaviour's name.
    init(_ text: String, after name: String) {
        self.text = text
        rest = text.count > name.count ? text.dropFirst(name.count + 1) : nil
    }

    /// A whole number, negative ones included, or the default where the text ends before it.
    package mutating func integer(
        _ meaning: String,
        _ range: ClosedRange<Int> = -1_000_000_000...1_000_000_000,
        default fallback: Int? = nil
    ) throws -> Int {
        guard let rest else {
            guard let fallback else { throw BehaviourFault("“\(text)” lacks \(meaning)") }
            return fallback
        }
        let sign = rest.prefix { $0 == "-" }.prefix(1)
        let digits = rest.dropFirst(sign.count).prefix { $0 != "-" }
        guard let value = Int(sign + digits), range.contains(value) else {
            throw BehaviourFault("“\(text)” has “\(rest)” where \(meaning) (\(range)) should be")
        }
        let remainder = rest.dropFirst(sign.count + digits.count)
        self.rest = remainder.isEmpty ? nil : remainder.dropFirst()
        return value
    }

    /// A span of time in milliseconds.
    package mutating func milliseconds(default fallback: Int) throws -> Duration {
        .milliseconds(try integer("a number of milliseconds", 0...86_400_000, default: fallback))
    }

    /// An HTTP status.
    package mutating func status(default fallback: Int? = nil) throws -> Int {
        try integer("a status", 200...599, default: fallback)
    }

    /// All that is left, or the default where nothing is.
    package mutating func remainder(_ meaning: String, default fallback: String? = nil) throws -> String {
        guard let remainder = rest.map(String.init) ?? fallback else {
            throw BehaviourFault("“\(text)” lacks \(meaning)")
        }
        rest = nil
        return remainder
    }

    /// Whether a word comes next; it is then read.
    package mutating func word(_ word: String) -> Bool {
        guard let rest, rest == word || rest.hasPrefix(word + "-") else { return false }
        self.rest = rest == word ? nil : rest.dropFirst(word.count + 1)
        return true
    }

    /// One of an enum's words.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ type: Choice.Type
    ) throws -> Choice {
        for choice in type.allCases where word(choice.rawValue) {
            return choice
        }
        let words = type.allCases.map(\.rawValue).joined(separator: ", ")
        throw BehaviourFault("“\(text)” should have one of: \(words)")
    }

    /// Makes sure that nothing is left.
    func end() throws {
        if let rest { throw BehaviourFault("“\(text)” has “\(rest)” too much") }
    }
}
