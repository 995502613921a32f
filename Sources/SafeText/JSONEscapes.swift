extension UInt8 {
    /// The escape of an ASCII character, if JSON requires one (RFC 8259, section 7).
    package var jsonEscape: String? {
        switch self {
        case Self(ascii: "\""): "\\\""
        case Self(ascii: "\\"): "\\\\"
        case 0..<0x20: Unicode.Scalar(self).hexadecimalEscape
        default: nil
        }
    }
}

extension Unicode.Scalar {
    /// The escape of a character, if JSON requires one or if the character is unsafe to print.
    fileprivate var jsonEscape: String? {
        if isUnsafeToPrint { return hexadecimalEscape }
        return isASCII ? UInt8(truncatingIfNeeded: value).jsonEscape : nil
    }

    /// The escape `\u` with four hexadecimal digits, twice for a character outside the basic plane.
    fileprivate var hexadecimalEscape: String {
        String(self).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}

extension String {
    /// The text as a JSON string with its quotes, in which unsafe characters are escaped, too.
    package var jsonQuoted: String { "\"\(isPlainJSON ? self : escaped(\.jsonEscape))\"" }

    /// True if the text is printable ASCII that JSON doesn't escape, as nearly all texts are.
    package var isPlainJSON: Bool {
        utf8.allSatisfy {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
    }

    /// The text with escapes in place of unsafe characters, for a text that is JSON already.
    ///
    /// Line ends stay.
    package var printableJSON: String {
        escaped { $0.isUnsafeToPrint && $0 != "\n" ? $0.hexadecimalEscape : nil }
    }

    private func escaped(_ escape: (Unicode.Scalar) -> String?) -> String {
        guard unicodeScalars.contains(where: { escape($0) != nil }) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if let escape = escape(scalar) { text += escape } else { text.unicodeScalars.append(scalar) }
        }
        return text
    }
}
