/// The sequences that control a terminal, apart from colours (ECMA-48 and xterm's control sequences).
enum EscapeSequence {
    /// Switches to the alternate screen, hides the cursor, and cuts lines that are too long for the window.
    static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\(clear)"
    /// Undoes ``enter``.
    ///
    /// The first character ends a sequence that was only partly written.
    static let leave = "\u{18}\(endFrame)\(Style.end)\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"
    /// Ends all colours and clears the screen.
    static let clear = "\(Style.end)\(clearScreen)"
    /// Clears the screen.
    static let clearScreen = "\u{1B}[2J"
    /// Moves the cursor to the beginning of the first line.
    static let home = "\u{1B}[H"
    /// Clears the rest of the line.
    static let clearRest = "\u{1B}[K"
    /// Clears the rest of the line and all lines below.
    static let clearBelow = "\u{1B}[J"
    /// Makes the terminal keep the old picture until the frame has ended.
    ///
    /// A terminal that doesn't know it ignores it.
    static let beginFrame = "\u{1B}[?2026h"
    static let endFrame = "\u{1B}[?2026l"

    /// Moves the cursor to the beginning of a line, counted from one.
    static func line(_ number: Int) -> String { "\u{1B}[\(number);1H" }
}
