/// Turns screens into the bytes that change the terminal from one to the next.
///
/// Only lines that differ are written, so that nothing flickers.
package struct FrameEncoder: Sendable {
    private let style: Style
    private var shown: [StyledText] = []
    private var size: WindowSize?

    /// Creates an encoder for a terminal of which nothing is known yet.
    package init(style: Style) { self.style = style }

    /// Forgets what the terminal shows, so that the next frame writes everything.
    package mutating func invalidate() { size = nil }

    /// Returns the bytes that show a screen, none if it is shown already.
    package mutating func frame(_ lines: [StyledText], _ size: WindowSize) -> [UInt8] {
        let isNew = size != self.size
        var text = isNew ? EscapeSequence.clear : ""
        for number in 0..<size.lines {
            let line = number < lines.count ? lines[number] : ""
            let before = !isNew && number < shown.count ? shown[number] : ""
            if line != before { text += EscapeSequence.line(number + 1) + encoded(line) + EscapeSequence.clearRest }
        }
        (shown, self.size) = (lines, size)
        return text.isEmpty ? [] : Array((EscapeSequence.beginFrame + text + EscapeSequence.endFrame).utf8)
    }

    private func encoded(_ line: StyledText) -> String {
        line.runs.map { style.text($0.text, $0.emphasis) }.joined()
    }
}
