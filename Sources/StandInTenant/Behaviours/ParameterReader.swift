/// Reads the parameters that follow a behaviour's name, each after a hyphen.
package struct ParameterReader {
    private let text: String
    private var rest: Substring?

    /// A reader of a text that begins with a behaviour's name.
    init(_ text: String, after name: String) {
        self.text = text
        rest = text.count > name.count ? text.dropFirst(name.count + 1) : nil
    }

    /// Reads a whole number, or returns the default at the end of the text.
    mutating func integer(_ meaning: String, _ range: ClosedRange<Int>, default fallback: Int? = nil) throws -> Int {
        guard let rest else {
            guard let fallback else { throw StandInTenant.Fault("“\(text)” lacks \(meaning)") }
            return fallback
        }
        let sign = rest.prefix { $0 == "-" }.prefix(1)
        let digits = rest.dropFirst(sign.count).prefix { $0 != "-" }
        guard let value = Int(sign + digits), range.contains(value) else {
            throw StandInTenant.Fault("“\(text)” has “\(rest)” in place of \(meaning) (\(range))")
        }
        let remainder = rest.dropFirst(sign.count + digits.count)
        self.rest = remainder.isEmpty ? nil : remainder.dropFirst()
        return value
    }

    /// Reads a number of seconds, which may be negative.
    mutating func seconds(default fallback: Int? = nil) throws -> Int {
        try integer("a number of seconds", -1_000_000_000...1_000_000_000, default: fallback)
    }

    /// Reads a duration in milliseconds.
    mutating func milliseconds(default fallback: Int) throws -> Duration {
        .milliseconds(try integer("a number of milliseconds", 0...86_400_000, default: fallback))
    }

    /// Reads a size in MiB.
    mutating func mebibytes(default fallback: Int) throws -> Int {
        try integer("a size in MiB", 1...10_000, default: fallback)
    }

    /// Reads an HTTP status.
    mutating func status(default fallback: Int? = nil) throws -> Int {
        try integer("a status", 200...599, default: fallback)
    }

    /// Reads the rest of the text, or returns the default if there is none.
    mutating func remainder(_ meaning: String, default fallback: String? = nil) throws -> String {
        guard let remainder = rest.map(String.init) ?? fallback else {
            throw StandInTenant.Fault("“\(text)” lacks \(meaning)")
        }
        rest = nil
        return remainder
    }

    /// Reads a word if it is the next one, and returns true if so.
    mutating func word(_ word: String) -> Bool {
        guard let rest, rest == word || rest.hasPrefix(word + "-") else { return false }
        self.rest = rest == word ? nil : rest.dropFirst(word.count + 1)
        return true
    }

    /// Reads one of an enum's words.
    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) throws -> Choice {
        for choice in type.allCases where word(choice.rawValue) {
            return choice
        }
        let words = type.allCases.map(\.rawValue).joined(separator: ", ")
        throw StandInTenant.Fault("“\(text)” should have one of: \(words)")
    }

    /// Throws if something is left.
    func end() throws {
        if let rest { throw StandInTenant.Fault("“\(text)” has “\(rest)” too much") }
    }
}
