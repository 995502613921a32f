// SafeText: text from elsewhere, on its way to a terminal, a log or a record.
//
// Why it exists: a user's name can hold what ends a line, steers a terminal or turns the direction of writing, and so
// forge what stands around it. This module says which characters these are, once for all who print something.

extension Unicode.Scalar {
    /// Whether it could end a line, steer a terminal, turn the direction of writing or stand for something unseen: control
    /// characters of both sets, format characters, separators of lines and paragraphs, and what has no meaning of its own.
    package var isUnsafeToPrint: Bool {
        if (0x20...0x7E).contains(value) { return false }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return true
        default: return false
        }
    }

    /// JSON's escape of it: `\u` and four hexadecimal digits, twice for a scalar outside the basic plane.
    package var escaped: String {
        String(self).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}

extension String {
    /// With a question mark in the place of each unsafe character.
    package var printable: String {
        guard unicodeScalars.contains(where: \.isUnsafeToPrint) else { return self }
        var text = ""
        for scalar in unicodeScalars { text.unicodeScalars.append(scalar.isUnsafeToPrint ? "?" : scalar) }
        return text
    }

    /// With JSON's escapes in the place of unsafe characters, for a text that is JSON already; line ends stay.
    package var printableJSON: String {
        guard unicodeScalars.contains(where: { $0.isUnsafeToPrint && $0 != "\n" }) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.isUnsafeToPrint, scalar != "\n" {
                text += scalar.escaped
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
