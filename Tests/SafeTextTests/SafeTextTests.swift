import SafeText
import Testing

@Suite("Text that is safe to print")
struct SafeTextTests {
    @Test(
        "Characters that end a line, control a terminal or reverse writing are replaced, or escaped in JSON.",
        arguments: [
            ("ann", "ann", "ann"), ("é👍 \"x\"", "é👍 \"x\"", "é👍 \"x\""), ("a\u{1B}[2J", "a?[2J", #"a\u001b[2J"#),
            ("\u{85}\u{9B}", "??", #"\u0085\u009b"#), ("\u{2028}\u{2029}", "??", #"\u2028\u2029"#),
            ("\u{202E}\u{2066}\u{200F}", "???", #"\u202e\u2066\u200f"#), ("\u{FEFF}\u{AD}", "??", #"\ufeff\u00ad"#),
            ("\u{E0041}", "?", #"\udb40\udc41"#), ("\r\u{7F}\0", "???", #"\u000d\u007f\u0000"#),
            ("\u{E000}", "?", #"\ue000"#),
        ]
    )
    func unsafe(text: String, printable: String, escaped: String) {
        #expect(text.printable == printable)
        #expect(text.printableJSON == escaped)
        #expect((text + "\n").printableJSON == escaped + "\n")
    }

    @Test(
        "A JSON string has the escapes that JSON requires, and those of unsafe characters.",
        arguments: [
            ("", #""""#), ("ann", #""ann""#), (#"a"b\c"#, #""a\"b\\c""#), ("\n\u{1}", #""\u000a\u0001""#),
            ("é👍", #""é👍""#), (#"\"#, #""\\""#), (#"""#, #""\"""#), ("\u{7F}\u{202E}", #""\u007f\u202e""#),
        ]
    )
    func quoted(text: String, json: String) {
        #expect(text.jsonQuoted == json)
        #expect(text.isPlainJSON == (json == "\"\(text)\"" && text.utf8.allSatisfy { $0 < 0x80 }))
    }

    @Test(
        "A text is cut between characters, to at most a number of bytes before the ellipsis.",
        arguments: [("ann", 3, "ann"), ("anna", 3, "ann…"), ("aéb", 2, "a…"), ("é", 1, "…"), ("", 0, "")]
    )
    func truncated(text: String, most: Int, kept: String) {
        #expect(text.truncated(to: most) == kept)
    }

    @Test(
        "A text is one word for a shell.",
        arguments: [
            ("auth0/ann@example.com", "auth0/ann@example.com"), ("auth0|ann", "'auth0|ann'"), ("", "''"),
            ("it's; rm -r /", "'it'\\''s; rm -r /'"),
        ]
    )
    func shell(text: String, word: String) {
        #expect(text.quotedForShell == word)
    }

    @Test("A byte is escaped only if JSON requires it.")
    func bytes() {
        #expect(UInt8(ascii: "\"").jsonEscape == #"\""#)
        #expect(UInt8(ascii: "\\").jsonEscape == #"\\"#)
        let escaped = (UInt8.min...UInt8.max).filter { $0.jsonEscape != nil }
        #expect(escaped == Array(0..<0x20) + [UInt8(ascii: "\""), UInt8(ascii: "\\")])
        #expect(UInt8(0).jsonEscape == #"\u0000"#)
        #expect(UInt8(0x1F).jsonEscape == #"\u001f"#)
    }
}
