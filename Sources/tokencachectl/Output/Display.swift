import CTerminal
import SystemPackage

/// The form in which texts are laid out for people.
package struct Display: Sendable, Equatable {
    /// The form for files and pipes: without colours, and as wide as the text is.
    package static let plain = Display(style: .plain, width: nil)

    /// The colours.
    package let style: Style
    /// The number of columns that there are, or nil if there is no terminal or its width isn't known.
    package let width: Int?
    /// True if a terminal shows the text.
    package let isTerminal: Bool

    /// Creates a form of output.
    package init(style: Style, width: Int?, isTerminal: Bool = false) {
        self.style = style
        self.width = width
        self.isTerminal = isTerminal
    }

    /// The form that suits standard output now.
    static var standardOutput: Display {
        guard Terminal.hasTerminal else { return .plain }
        let columns = Int(terminal_columns(FileDescriptor.standardOutput.rawValue))
        return Display(style: .standardOutput, width: columns > 0 ? columns : nil, isTerminal: true)
    }
}
