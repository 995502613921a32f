/// A pattern for a user's or a unit's name: `*` stands for any text, `?` for one character, all else for itself.
///
/// Names are compared byte by byte. Nothing is case-folded or normalised.
package struct Glob: Sendable, Equatable {
    private let pattern: [UInt8]

    /// The pattern that every name matches.
    package static let everything = Glob("*")

    /// Reads a pattern.
    ///
    /// Every text is one.
    package init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    /// True if every name matches.
    package var matchesEverything: Bool { !pattern.isEmpty && pattern.allSatisfy { $0 == Self.anyText } }

    private static let anyText = UInt8(ascii: "*")
    private static let anyCharacter = UInt8(ascii: "?")

    /// True if a name matches, given as UTF-8.
    ///
    /// It takes at most the product of both lengths, as only the last `*` is ever tried again.
    package func matches(_ name: borrowing Span<UInt8>) -> Bool {
        var (read, position) = (0, 0)
        var retry: (read: Int, position: Int)?
        while read < name.count {
            if position < pattern.count, pattern[position] == Self.anyText {
                retry = (read, position)
                position += 1
            } else if position < pattern.count, pattern[position] == Self.anyCharacter {
                read = Self.end(ofCharacterAt: read, name)
                position += 1
            } else if position < pattern.count, pattern[position] == name[read] {
                read += 1
                position += 1
            } else if let last = retry {
                retry = (Self.end(ofCharacterAt: last.read, name), last.position)
                read = Self.end(ofCharacterAt: last.read, name)
                position = last.position + 1
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == Self.anyText }
    }

    /// True if a name matches.
    package func matches(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return matches(bytes.span)
    }

    /// The end of a UTF-8 character: the bytes after its first one begin with the bits 10.
    private static func end(ofCharacterAt start: Int, _ name: borrowing Span<UInt8>) -> Int {
        var end = start + 1
        while end < name.count, name[end] & 0xC0 == 0x80 { end += 1 }
        return end
    }
}
