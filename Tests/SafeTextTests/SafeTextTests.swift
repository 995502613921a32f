import SafeText
import Testing

@Suite("Text that is safe to print")
struct SafeTextTests {
    @Test(
        "What ends a line, steers a terminal or turns writing is replaced, or escaped as JSON escapes it.",
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
}
