import CTerminal

/// The columns that a text takes on a terminal: none for a style's escape sequence, two for a wide character, none for a
/// combining mark.
extension String {
    /// The number of columns.
    package var columns: Int {
        // Nearly all texts are plain.
        if utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return utf8.count }
        return pieces.reduce(0) { $0 + $1.columns }
    }

    /// Returns the text with spaces after it, as wide as a column.
    package func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }

    /// Returns the text, or its beginning and an ellipsis if it is wider than a column.
    package func cut(to width: Int) -> String {
        guard columns > width else { return self }
        var (kept, left, isStyled) = ("", width - 1, false)
        for piece in pieces {
            guard piece.columns <= left else { break }
            kept += piece.text
            left -= piece.columns
            if piece.text.first == Style.escape { isStyled = piece.text != Style.end }
        }
        return kept + (width > 0 ? "…" : "") + (isStyled ? Style.end : "")
    }

    /// Returns the text as lines that are at most so wide, unless a single word is wider.
    package func wrapped(to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
            if !line.isEmpty, line.columns + 1 + word.columns > width {
                lines.append(line)
                line = word
            } else {
                line = line.isEmpty && lines.isEmpty ? word : line + " " + word
            }
        }
        return lines + [line]
    }

    /// A character or an escape sequence, and its columns.
    private struct Piece {
        let text: String
        let columns: Int
    }

    private var pieces: [Piece] {
        var pieces: [Piece] = []
        var rest = self[...]
        while let first = rest.first {
            guard first == Style.escape, let end = rest.firstIndex(of: "m") else {
                pieces.append(Piece(text: String(first), columns: first.columns))
                rest.removeFirst()
                continue
            }
            pieces.append(Piece(text: String(rest[...end]), columns: 0))
            rest = rest[rest.index(after: end)...]
        }
        return pieces
    }
}

extension Character {
    /// The number of columns, as the C library knows them from the Unicode tables.
    ///
    /// Several scalars that make up one character, such as a flag, are at most two columns wide.
    fileprivate var columns: Int { min(2, unicodeScalars.reduce(0) { $0 + $1.columns }) }
}

extension Unicode.Scalar {
    /// The number of columns, one for a character that the C library doesn't know.
    fileprivate var columns: Int {
        if isASCII { return 1 }
        let columns = Int(character_columns(value))
        return columns < 0 ? 1 : columns
    }
}
