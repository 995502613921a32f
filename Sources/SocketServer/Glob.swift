/// A pattern for a user's or a unit's name: `*` stands for any text, `?` for one character, all else for itself.
///
/// It is compared byte by byte, as names are; nothing is folded or normalised.
package struct Glob: Sendable, Equatable {
    private let pattern: [UInt8]

    /// Every name fits it.
    package static let everything = Glob("*")

    /// Reads a pattern; every text is one.
    package init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    /// Whether every name fits.
    package var fitsAll: Bool { !pattern.isEmpty && pattern.allSatisfy { $0 == Self.anyText } }

    private static let anyText = UInt8(ascii: "*")
    private static let anyCharacter = UInt8(ascii: "?")

    /// Whether a name, which is UTF-8, fits.
    ///
    /// It takes at most the product of both lengths: only the last `*` is ever gone back to.
    package func fits(_ name: borrowing Span<UInt8>) -> Bool {
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

    /// Whether a name fits.
    package func fits(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return fits(bytes.span)
    }

    /// Behind the first byte of a character come those that begin with the bits 10.
    private static func end(ofCharacterAt start: Int, _ name: borrowing Span<UInt8>) -> Int {
        var end = start + 1
        while end < name.count, name[end] & 0xC0 == 0x80 { end += 1 }
        return end
    }
}
