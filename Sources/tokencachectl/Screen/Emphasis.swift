/// The look of a piece of text on the screen.
package enum Emphasis: Sendable, Equatable {
    case plain
    /// A value or a heading.
    case bold
    /// A label or something that is long over.
    case dim
    /// Something that is well.
    case good
    /// Something that needs attention.
    case warning
    /// Something that is broken.
    case alarm
    /// A name.
    case name
}

extension Style {
    /// Returns the text in the look of an emphasis.
    func text(_ text: String, _ emphasis: Emphasis) -> String {
        switch emphasis {
        case .plain: text
        case .bold: bold(text)
        case .dim: dim(text)
        case .good: green(text)
        case .warning: yellow(text)
        case .alarm: red(text)
        case .name: cyan(text)
        }
    }
}
