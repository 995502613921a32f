import Foundation
import OperatorReplies
import Testing
import tokencachectl

@Suite("Colours, columns and tables")
struct DisplayTests {
    private static let coloured = Style(isColoured: true)

    private func entries(_ users: String...) throws -> EntriesPage {
        let entries = users.map {
            #"{"tenant":"main","subject":"\#($0)","scope":"s","state":"fresh","age":5,"expires_in":90,"fingerprint":"abc"}"#
        }
        return try Reply(Data(#"{"entries":[\#(entries.joined(separator: ","))]}"#.utf8)).decode(EntriesPage.self)
    }

    /// The lines of a text without the sequences of colours.
    private func lines(_ text: String) -> [String] {
        text.replacing(/\u{1B}\[[0-9]*m/, with: "").split(separator: "\n").map(String.init)
    }

    @Test("A coloured text has the sequences of its colour around it, and a plain one has none.")
    func styles() {
        #expect(Self.coloured.red("no") == "\u{1B}[31mno\u{1B}[0m")
        #expect(Self.coloured.bold("") == "")
        for style in [Style.plain.red, Style.plain.green, Style.plain.bold, Style.plain.dim] {
            #expect(style("no") == "no")
        }
    }

    @Test(
        "The columns of a text are those that a terminal shows.",
        arguments: [
            ("", 0), ("ann", 3), ("jürgen", 6), ("ju\u{308}rgen", 6), ("日本語", 6), ("한국", 4), ("😀", 2), ("🇩🇪", 2),
            ("a\u{301}\u{302}b", 2), ("\u{1B}[31mred\u{1B}[0m", 3), ("\u{1B}[1m日\u{1B}[0mx", 3), ("…", 1),
        ]
    )
    func columns(text: String, count: Int) { #expect(text.columns == count) }

    @Test(
        "A text that is too wide is cut before the character that doesn't fit, and its colour ends.",
        arguments: [
            ("alice", 5, "alice"), ("alice", 4, "ali…"), ("alice", 1, "…"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"), ("\u{1B}[31mwrong\u{1B}[0m", 4, "\u{1B}[31mwro…\u{1B}[0m"),
            ("\u{1B}[31mno\u{1B}[0m then", 5, "\u{1B}[31mno\u{1B}[0m t…"), ("ab", 0, ""),
        ]
    )
    func cut(text: String, width: Int, expected: String) {
        #expect(text.cut(to: width) == expected)
        #expect(text.cut(to: width).columns <= width)
    }

    @Test("A text is wrapped between words, and a word that is too wide stays whole.")
    func wrapped() {
        #expect("one two three".wrapped(to: 7) == ["one two", "three"])
        #expect("one two three".wrapped(to: 4) == ["one", "two", "three"])
        #expect("incomprehensible is it".wrapped(to: 5) == ["incomprehensible", "is it"])
        #expect("\(Self.coloured.red("one")) two".wrapped(to: 7).count == 1)
        #expect("".wrapped(to: 5) == [""])
    }

    @Test("Colours, wide characters and combining marks don't break a table's columns.", arguments: [false, true])
    func alignment(isColoured: Bool) throws {
        let page = try entries("日本", "ju\u{308}rgen", "a")
        let display = Display(style: Style(isColoured: isColoured), width: nil)
        let lines = lines(EntriesView.text(of: page, display))
        let starts = ["TENANT  USER    SCOPE", "main    日本    s ", "main    ju\u{308}rgen  s ", "main    a       s "]
        #expect(lines.count == starts.count)
        for (line, start) in zip(lines, starts) { #expect(line.hasPrefix(start)) }
        #expect(EntriesView.text(of: page, display).contains("\u{1B}") == isColoured)
    }

    @Test("On a narrow terminal the widest cells are cut, and a file gets them whole.")
    func narrow() throws {
        let long = String(repeating: "x", count: 200)
        let page = try entries(long, "ann")
        for width in [80, 100] {
            let lines = lines(EntriesView.text(of: page, Display(style: Self.coloured, width: width)))
            #expect(lines.allSatisfy { $0.columns <= width })
            #expect(lines[1].contains("x…") && lines[2].contains("ann"))
        }
        #expect(EntriesView.text(of: page).contains(long))
        let tiny = EntriesView.text(of: page, Display(style: .plain, width: 1))
        #expect(lines(tiny)[1].contains("xxxxxxx…"), "a cell keeps some characters however narrow the terminal is")
    }

    @Test("The pages of one table have one header, and its columns don't get narrower.")
    func pages() throws {
        var view = EntriesView()
        let first = view.text(of: try entries("a-long-name")).split(separator: "\n")
        let second = view.text(of: try entries("ann")).split(separator: "\n")
        #expect(first.count == 2 && second.count == 1)
        #expect(second[0].replacing("ann        ", with: "a-long-name") == first[1])
        #expect(view.text(of: try entries()) == "")
    }

    @Test("Long rows go on below themselves on a terminal.")
    func rows() throws {
        let reply = #"""
            {"status":"ok","state":"absent","source":"tenant","reason":"a token has to be minted for this user",
            "circuit":"closed","client":"trusted","wait":0}
            """#
        let explain = try Reply(Data(reply.utf8)).decode(ExplainReply.self)
        let text = ExplainView(explain, Display(style: .plain, width: 40)).text
        #expect(
            text.hasPrefix(
                "next answer  from the tenant: a token\n             has to be minted for this\n             user\n"
            )
        )
        #expect(ExplainView(explain).text.hasPrefix("next answer  from the tenant: a token has to be minted for"))
    }

    @Test("A screen is cleared once, then each line replaces that in its place, and nothing is below the last one.")
    func screen() {
        var screen = Screen()
        #expect(screen.frame("a\nb", lines: 24) == "\u{1B}[H\u{1B}[2Ja\u{1B}[K\nb\u{1B}[K\n\u{1B}[J")
        #expect(screen.frame("c", lines: nil) == "\u{1B}[Hc\u{1B}[K\n\u{1B}[J")
        let text = (1...10).map(String.init).joined(separator: "\n")
        let lines = screen.frame(text, lines: 5).split(separator: "\n")
        #expect(lines.map { String($0.prefix(5)) }.dropLast().last?.hasPrefix("… 7 ") == true)
        #expect(lines.count - 1 == 4, "the cursor is on the terminal's last line")
    }
}
