import FoundationEssentials

/// Makes JSON text of texts.
///
/// A reply's members have an order, a name may occur twice, and a value may be one that no encoder writes, such as
/// `1e400`.
enum JSONText {
    /// An object of the members that have a value.
    static func object(_ members: KeyValuePairs<String, String?>) -> String {
        let texts = members.compactMap { name, value in value.map { value in "\"\(name)\":\(value)" } }
        return "{" + texts.joined(separator: ",") + "}"
    }

    static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }

    /// A string, quoted and escaped.
    static func string(_ text: String) -> String { encoded(text) }

    /// A value whose encoding can't fail.
    static func encoded(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: (try? encoder.encode(value)) ?? Data(), as: UTF8.self)
    }
}
