import TokenProtocol

/// Random lines around the plain form of a request for a token, with their ends.
struct RandomLine {
    private static let users = [
        "ann", "auth0|user-1234", "Jürgen", "日本", "a\\u006en", "", "a\\\"b", "a\u{7f}b", "a\tb", "\\ud800", "a/b",
        String(repeating: "x", count: 1_024), String(repeating: "x", count: 1_025), String(repeating: "é", count: 512),
    ]
    private static let texts = [
        "t", "user_default", "a b", "", "\\u0074", "b a a", "über", "{\\\\", "1234567", "12345678",
    ]
    private static let numbers = [
        "0", "7", "300", "86400", "86401", "99999", "100000", "-0", "-7", "007", "1.5", "3e2", "1E1", "0.0", "",
        "999999999999999", "1000000000000000", "9007199254740991", "9007199254740992", "12345678901234567890",
    ]
    private static let others = ["true", "false", "null", "[]", "{}", "[{\"id\":1}]", "x"]
    private static let ids = [
        "\"x\"", "\"\"", "\"é\"", "\"\\u0041\"", "\"\(String(repeating: "i", count: 128))\"",
        "\"\(String(repeating: "i", count: 129))\"",
    ]

    /// The bytes.
    private(set) var bytes: [UInt8] = []

    /// Creates a line, which is often valid and sometimes has changed bytes.
    init(_ random: inout SeededGenerator) {
        var members = [#""op"\#(Self.colon(&random))"token""#, Self.user(&random)]
        if Bool.random(using: &random) { members.append(Self.member("id", Self.id(&random), &random)) }
        while Int.random(in: 0..<3, using: &random) == 0 { members.append(Self.member(&random)) }
        if Int.random(in: 0..<20, using: &random) == 0 { members.removeFirst() }
        members.shuffle(using: &random)
        var text = "{" + Self.space(&random)
        for (index, member) in members.enumerated() { text += (index > 0 ? "," + Self.space(&random) : "") + member }
        text += Self.space(&random) + "}" + Self.space(&random)
        bytes = Array(text.utf8)
        if Int.random(in: 0..<3, using: &random) == 0 { change(&random) }
        bytes.removeAll { $0 == UInt8(ascii: "\n") }
        bytes += Array((["\n", "\n", "\n", "\r\n", "\r\r\n"].randomElement(using: &random) ?? "\n").utf8)
    }

    private mutating func change(_ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.remove(at: index)
            case 1: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: index)
            case 2: bytes[index] = bytes.randomElement(using: &random) ?? 0
            default: bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            if bytes.isEmpty { return }
        }
    }

    private static func user(_ random: inout SeededGenerator) -> String {
        let field = ["subject", "subject", "user_id", "client"].randomElement(using: &random) ?? ""
        return member(field, quoted(Bool.random(using: &random) ? users[1] : pick(users, &random)), &random)
    }

    private static func id(_ random: inout SeededGenerator) -> String {
        Bool.random(using: &random)
            ? String(Int.random(in: 0..<100_000, using: &random))
            : pick(Bool.random(using: &random) ? numbers : ids, &random)
    }

    private static func member(_ random: inout SeededGenerator) -> String {
        let name = pick(RequestParser.memberNames + ["unknown", "i", "\\u0069d", "ids", "subjects"], &random)
        switch name {
        case "tenant", "scope": return member(name, quoted(pick(texts, &random)), &random)
        case "min_ttl", "timeout": return member(name, pick(numbers, &random), &random)
        default:
            let value = [quoted(pick(texts, &random)), pick(numbers, &random), pick(others, &random)]
            return member(name, pick(value, &random), &random)
        }
    }

    private static func member(_ name: String, _ value: String, _ random: inout SeededGenerator) -> String {
        quoted(name) + colon(&random) + value
    }

    private static func colon(_ random: inout SeededGenerator) -> String {
        Int.random(in: 0..<40, using: &random) == 0 ? " :" : ":" + space(&random)
    }

    private static func space(_ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<60, using: &random) {
        case 0: "  "
        case 1: "\t"
        case 2...12: " "
        default: ""
        }
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }

    private static func pick(_ texts: [String], _ random: inout SeededGenerator) -> String {
        texts.randomElement(using: &random) ?? ""
    }
}
