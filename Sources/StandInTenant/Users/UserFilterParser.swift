/// Reads a filter: comparisons with `eq` and `co`, `and`, `or` and parentheses.
///
/// `and` binds stronger than `or`. Words are written in lower case with one space between them.
struct UserFilterParser {
    /// A nesting that no correct client needs.
    private static let maximumDepth = 32

    private let text: String
    private var rest: Substring.UnicodeScalarView
    private var depth = 0

    init(_ text: String) {
        self.text = text
        rest = text[...].unicodeScalars
    }

    /// Reads all of the text.
    mutating func parse() throws(StandInTenant.Fault) -> UserFilter {
        let filter = try disjunction()
        guard rest.isEmpty else { throw fault("has “\(Substring(rest))” too much") }
        return filter
    }

    private mutating func disjunction() throws(StandInTenant.Fault) -> UserFilter {
        var parts = [try conjunction()]
        while take(" or ") { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func conjunction() throws(StandInTenant.Fault) -> UserFilter {
        var parts = [try term()]
        while take(" and ") { parts.append(try term()) }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func term() throws(StandInTenant.Fault) -> UserFilter {
        guard take("(") else { return try comparison() }
        depth += 1
        guard depth <= Self.maximumDepth else { throw fault("is nested too deeply") }
        let inner = try disjunction()
        guard take(")") else { throw fault("lacks a parenthesis before “\(Substring(rest))”") }
        depth -= 1
        return .group(inner)
    }

    private mutating func comparison() throws(StandInTenant.Fault) -> UserFilter {
        guard let field = UserFilter.Field.allCases.first(where: { take($0.rawValue + " ") }) else {
            throw fault("has “\(Substring(rest))” in place of a field")
        }
        let isEqual = take("eq ")
        guard isEqual || (field.isText && take("co ")) else { throw fault("compares \(field) in an unknown way") }
        let value = try string()
        if field == .status, StandInTenant.User.Status(rawValue: value.lowercased()) == nil {
            throw fault("has the status “\(value)”")
        }
        return isEqual ? .equals(field, value) : .contains(field, value)
    }

    /// Reads a text in quotation marks, which is a string of JSON.
    private mutating func string() throws(StandInTenant.Fault) -> String {
        var literal = String.UnicodeScalarView()
        var isEscaped = false
        while let scalar = rest.popFirst() {
            literal.append(scalar)
            if scalar == "\"", !isEscaped, literal.count > 1 { break }
            isEscaped = scalar == "\\" && !isEscaped
        }
        guard let value = try? JSONValue(json: Array("[\(String(literal))]".utf8)), case .array(let elements) = value,
            elements.count == 1, let text = elements[0].text, !text.isEmpty
        else { throw fault("has “\(String(literal))” in place of a text") }
        return text
    }

    private mutating func take(_ word: String) -> Bool {
        guard rest.starts(with: word.unicodeScalars) else { return false }
        rest = rest.dropFirst(word.unicodeScalars.count)
        return true
    }

    private func fault(_ sentence: String) -> StandInTenant.Fault {
        StandInTenant.Fault("the filter “\(text)” \(sentence)")
    }
}
