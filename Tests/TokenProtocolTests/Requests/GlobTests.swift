import Testing
import TokenProtocol

@Suite("Patterns")
struct GlobTests {
    @Test(
        "Only * and ? are special, and ? matches one character, not one byte.",
        arguments: [
            ("*", "", true), ("*", "anything", true), ("", "", true), ("", "a", false), ("a", "a", true),
            ("a*", "a", true), ("a*", "ba", false), ("*a", "bca", true), ("*a", "ab", false), ("a*c", "abbc", true),
            ("a*b*c", "aXbYbZc", true), ("a*b*c", "acb", false), ("?", "é", true), ("?", "👍", true), ("??", "é", false),
            ("*?", "", false), ("*?", "x", true), ("**", "x", true), ("[ab]", "a", false), ("[ab]", "[ab]", true),
            ("\\*", "\\anything", true), ("\\*", "*", false), ("DOMAIN\\*", "DOMAIN\\ann", true), ("A", "a", false),
            ("*.example", "x.example.evil", false), ("*é*", "caféine", true), ("*?é", "éé", true),
        ]
    )
    func patterns(_ pattern: String, _ name: String, _ isMatch: Bool) {
        #expect(Glob(pattern).matches(name) == isMatch)
    }

    @Test("A pattern with many stars takes no excessive time.")
    func manyStars() {
        let pattern = Glob(String(repeating: "*a", count: 500) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 1_024)))
    }
}
