import ArgumentParser

/// A text that is drawn on the terminal again and again in its own place.
///
/// It changes none of the terminal's modes, so that the terminal is as it was however the program ends.
package struct Screen {
    private var isFirst = true

    package init() {}

    /// Draws a text in place of the one before, as far as it fits.
    mutating func draw(_ text: String) throws(ExitCode) {
        try Terminal.writeAll(frame(text, lines: Terminal.lines))
    }

    /// Returns what draws a text on a terminal with so many lines.
    ///
    /// A single write of it doesn't flicker: a line is cleared only behind its new text.
    package mutating func frame(_ text: String, lines most: Int?) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // The cursor is left on the line below.
        if let most, lines.count > most - 1 {
            let hidden = lines.count - max(0, most - 2)
            lines = lines.prefix(max(0, most - 2)) + ["… \(hidden) more lines"]
        }
        defer { isFirst = false }
        let start = isFirst ? EscapeSequence.home + EscapeSequence.clearScreen : EscapeSequence.home
        return start + lines.map { $0 + EscapeSequence.clearRest + "\n" }.joined() + EscapeSequence.clearBelow
    }
}
