#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Colours for people, or none.
///
/// Only this file knows the escape sequences of a terminal's colours.
package struct Style: Sendable, Equatable {
    /// No colours.
    package static let plain = Style(isColoured: false)

    /// The character that begins an escape sequence.
    static let escape: Character = "\u{1B}"
    /// The end of all colours.
    static let end = "\u{1B}[0m"

    /// True if texts are coloured.
    package let isColoured: Bool

    /// Creates a style with or without colours.
    package init(isColoured: Bool) { self.isColoured = isColoured }

    /// The style of standard output.
    ///
    /// It has colours on a terminal, unless `NO_COLOR` is set and not empty or the terminal is a `dumb` one.
    package static var standardOutput: Style {
        let environment = ProcessInfo.processInfo.environment
        let isWanted = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        return Style(isColoured: isWanted && Terminal.hasTerminal)
    }

    /// Returns the text in bold.
    package func bold(_ text: String) -> String { styled(text, "1") }
    /// Returns the text with less contrast.
    package func dim(_ text: String) -> String { styled(text, "2") }
    /// Returns the text in the colour of what is broken.
    package func red(_ text: String) -> String { styled(text, "31") }
    /// Returns the text in the colour of what needs attention.
    package func yellow(_ text: String) -> String { styled(text, "33") }
    /// Returns the text in the colour of what is well.
    package func green(_ text: String) -> String { styled(text, "32") }
    /// Returns the text in the colour of names.
    package func cyan(_ text: String) -> String { styled(text, "36") }

    private func styled(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\(Self.escape)[\(code)m\(text)\(Self.end)" : text
    }
}
