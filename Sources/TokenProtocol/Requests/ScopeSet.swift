/// A set of OAuth scopes (RFC 6749, section 3.3), without order or duplicates.
///
/// It is kept as one text: the scopes sorted and joined by single spaces. A scope can't contain a space, so different
/// sets have different texts. No request and no configuration can name an empty set: only ``all`` has an empty text.
package struct ScopeSet: Sendable, Hashable {
    /// All scopes that the tenant gives, for which none are sent (RFC 6749, section 3.3).
    package static let all = ScopeSet()

    /// The scopes, sorted and joined by single spaces, as they are sent, or empty for ``all``.
    package let text: String

    private init() { text = "" }

    /// Reads a space-separated list.
    ///
    /// Returns nil if it is empty or has a character that is not allowed in a scope.
    package init?(_ list: String) {
        guard list.utf8.allSatisfy({ $0 == UInt8(ascii: " ") || Self.isScopeCharacter($0) }) else { return nil }
        let scopes = list.split(separator: " ")
        switch scopes.count {
        case 0: return nil
        case 1: text = String(scopes[0])
        default: text = Set(scopes).sorted().joined(separator: " ")
        }
    }

    /// True if all scopes that the tenant gives are meant, whichever they are.
    package var isAll: Bool { text.isEmpty }

    /// The single scopes, sorted, of a set other than ``all``.
    package var scopes: [Substring] { text.split(separator: " ") }

    /// True if every scope of this set is in another.
    ///
    /// Every set is a part of ``all``, which is itself a part of no other.
    package func isSubset(of other: ScopeSet) -> Bool {
        if self == other || other.isAll { return true }
        return !isAll && Set(scopes).isSubset(of: other.scopes)
    }

    /// True for an `NQCHAR` of RFC 6749, appendix A.4: printable ASCII without space, quotation mark and backslash.
    private static func isScopeCharacter(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
