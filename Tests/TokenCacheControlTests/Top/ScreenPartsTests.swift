import Testing

@testable import tokencachectl

@Suite("The parts of a screen")
struct ScreenPartsTests {
    private let size = WindowSize(columns: 10, lines: 3)

    private func frame(_ encoder: inout FrameEncoder, _ lines: [StyledText]) -> String {
        String(decoding: encoder.frame(lines, size), as: UTF8.self)
    }

    @Test("A frame writes the lines that differ from the one before, and nothing if none does.")
    func frames() {
        var encoder = FrameEncoder(style: .plain)
        #expect(frame(&encoder, ["a", "", "c"]).contains("\u{1B}[2J"))
        #expect(frame(&encoder, ["a", "", "c"]) == "")
        #expect(frame(&encoder, ["a", "b", "c"]) == "\u{1B}[?2026h\u{1B}[2;1Hb\u{1B}[K\u{1B}[?2026l")
        #expect(frame(&encoder, ["a"]) == "\u{1B}[?2026h\u{1B}[2;1H\u{1B}[K\u{1B}[3;1H\u{1B}[K\u{1B}[?2026l")
        encoder.invalidate()
        #expect(frame(&encoder, ["a"]) == "\u{1B}[?2026h\u{1B}[0m\u{1B}[2J\u{1B}[1;1Ha\u{1B}[K\u{1B}[?2026l")
    }

    @Test("Colours are written only if they are wanted.")
    func colours() {
        var coloured = FrameEncoder(style: Style(isColoured: true))
        #expect(frame(&coloured, [StyledText("a", .alarm)]).contains("\u{1B}[31ma\u{1B}[0m"))
        var plain = FrameEncoder(style: .plain)
        #expect(!frame(&plain, [StyledText("a", .alarm)]).contains("\u{1B}[31m"))
    }

    @Test("A line is cut at a width, also in the middle of a piece and before a wide character.")
    func cut() {
        let line = StyledText("abc", .alarm) + StyledText("def")
        #expect(line.cut(to: 6) == line)
        #expect(line.cut(to: 5).text == "abcd…")
        #expect(line.cut(to: 4).text == "abc…")
        #expect(line.cut(to: 3).text == "ab…")
        #expect(line.cut(to: 1).text == "…" && line.cut(to: 0).text == "")
        #expect(StyledText("日本語").cut(to: 4).text == "日…")
        #expect(StyledText("日本語").columns == 6)
    }

    @Test("A graph is scaled to its largest value, and nothing is drawn where no value is known.")
    func sparkline() {
        #expect(Sparkline(values: [0, 1, 50, nil, 100]).text(columns: 6) == " ▁▂▅ █")
        #expect(Sparkline(values: [1, 2, 3]).text(columns: 2) == "▆█")
        #expect(Sparkline(values: [0, 0]).text(columns: 2) == "▁▁" && Sparkline(values: []).text(columns: 0) == "")
    }

    @Test("Lines are shared so that a long table leaves room for the others.")
    func shares() {
        #expect(TopScreen.shares(of: 10, among: [1_000, 1_000, 1_000]) == [4, 3, 3])
        #expect(TopScreen.shares(of: 10, among: [1, 1_000, 0]) == [1, 9, 0])
        #expect(
            TopScreen.shares(of: -1, among: [1, 1]) == [0, 0] && TopScreen.shares(of: 9, among: [1, 2]) == [1, 2]
        )
    }

    @Test("Only all is 100 percent, and only none is 0.")
    func percent() {
        #expect([1, 0.9999, 0.5, 0.0001, 0].map(\.percentText) == ["100 %", "99.9 %", "50 %", "0.1 %", "0 %"])
        #expect([0, 0.04, 3.14, 99.94, 412.7, 1e300].map(\.shortText).prefix(5) == ["0", "0", "3.1", "99.9", "413"])
    }
}
