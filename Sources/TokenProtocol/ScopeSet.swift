/// A set of OAuth scopes (RFC 6749, section 3.3), without order or duplicates.
///
/// It is kept as one text: the scopes sorted and joined by single spaces. A scope can't contain a space, so two sets
/// that differ never share a text.
package struct ScopeSet: Sendable, Hashable {
    /// The scopes, sorted, joined by single spaces: as it goes over the wire.
    package let text: String

    /// Reads a space-separated list; nil where it is empty or a character is not allowed in a scope.
    ///
    /// - Parameter list: What a request or the configuration says.
    package init?(_ list: String) {
        guard list.utf8.allSatisfy({ $0 == UInt8(ascii: " ") || Self.isScopeCharacter($0) }) else { return nil }
        let scopes = list.split(separator: " ")
        switch scopes.count {
        case 0: return nil
        case 1: text = String(scopes[0])
        default: text = Set(scopes).sorted().joined(separator: " ")
        }
    }

    /// The scopes one by one, sorted.
    package var scopes: [Substring] { text.split(separator: " ") }

    /// Whether every scope of this set is in another.
    package func isSubset(of other: ScopeSet) -> Bool {
        self == other || Set(scopes).isSubset(of: other.scopes)
    }

    /// RFC 6749, appendix A.4: `NQCHAR` is printable ASCII without space, quotation mark and backslash.
    private static func isScopeCharacter(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
