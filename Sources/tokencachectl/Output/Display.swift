import CTerminal
import SystemPackage

/// The form in which texts are laid out for people.
package struct Display: Sendable, Equatable {
    /// The form for files and pipes: without colours, and as wide as the text is.
    package static let plain = Display(style: .plain, width: nil)

    /// The colours.
    package let style: Style
    /// The number of columns that there are, or nil if there is no terminal.
    package let width: Int?

    /// Creates a form of output.
    package init(style: Style, width: Int?) {
        self.style = style
        self.width = width
    }

    /// The form that suits standard output now.
    static var standardOutput: Display {
        let columns = Terminal.hasTerminal ? Int(terminal_columns(FileDescriptor.standardOutput.rawValue)) : 0
        return Display(style: .standardOutput, width: columns > 0 ? columns : nil)
    }
}
