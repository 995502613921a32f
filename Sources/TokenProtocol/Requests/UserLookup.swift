import Glibc

/// A user, as a request names one: a field and its value.
///
/// The value is bytes, not a `String`: two strings are equal in Swift when they are canonically equivalent, and users
/// whose names differ only in their Unicode composition must never share a token.
package struct UserLookup: Sendable, Hashable {
    /// The field by which the tenant looks up the user.
    package let field: LookupField
    /// The value as UTF-8, 1 to 1,024 bytes.
    package let value: [UInt8]

    /// Creates a lookup by bytes.
    package init(field: LookupField, value: [UInt8]) {
        self.field = field
        self.value = value
    }

    /// Creates a lookup by text.
    package init(field: LookupField, value: String) {
        self.init(field: field, value: Array(value.utf8))
    }

    /// Compares all bytes at once.
    ///
    /// An array compares its elements one by one.
    package static func == (left: UserLookup, right: UserLookup) -> Bool {
        guard left.field == right.field else { return false }
        return unsafe right.value.withUnsafeBytes { unsafe left.hasValue($0) }
    }

    /// True if the value equals some bytes.
    package func hasValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard value.count == bytes.count else { return false }
        return unsafe value.withUnsafeBytes { own in
            // Both have the same length, so both are empty if one has no address.
            guard let own = own.baseAddress, let other = bytes.baseAddress else { return true }
            return unsafe memcmp(own, other, bytes.count) == 0
        }
    }

    /// Hashes all bytes at once.
    ///
    /// An array hashes its elements one by one.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(field)
        unsafe value.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}
