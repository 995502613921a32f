// SafeText: text from elsewhere, on its way to a terminal, a log, a record or JSON.
//
// Purpose: a user's name can hold characters that end a line, control a terminal or reverse the direction of
// writing, and so forge the text around it. This module defines once which characters these are, how they are replaced
// in plain text and how they are escaped in JSON.

extension Unicode.Scalar {
    /// True if the character could end a line, control a terminal, reverse the direction of writing or be invisible.
    ///
    /// These are the control characters of both sets, format characters, separators of lines and paragraphs, and
    /// characters without a meaning of their own.
    package var isUnsafeToPrint: Bool {
        if (0x20...0x7E).contains(value) { return false }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return true
        default: return false
        }
    }
}

extension String {
    /// The text with a question mark in place of each unsafe character.
    package var printable: String {
        guard unicodeScalars.contains(where: \.isUnsafeToPrint) else { return self }
        var text = ""
        for scalar in unicodeScalars { text.unicodeScalars.append(scalar.isUnsafeToPrint ? "?" : scalar) }
        return text
    }
}
