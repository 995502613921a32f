import Glibc

/// A user, as a request names one: by which field and with which bytes.
///
/// The value is bytes, not a `String`: two strings are equal in Swift when they are canonically equivalent, and users
/// whose names differ only in their Unicode composition must never share a token.
package struct UserLookup: Sendable, Hashable {
    /// The field that the tenant looks up.
    package let field: LookupField
    /// The value as UTF-8, 1 to 1,024 bytes.
    package let value: [UInt8]

    /// Names a user.
    package init(field: LookupField, value: [UInt8]) {
        self.field = field
        self.value = value
    }

    /// Names a user by text.
    package init(field: LookupField, value: String) {
        self.init(field: field, value: Array(value.utf8))
    }

    /// Compares the bytes in one go; the array's own way takes them one by one.
    package static func == (left: UserLookup, right: UserLookup) -> Bool {
        guard left.field == right.field else { return false }
        return unsafe right.value.withUnsafeBytes { unsafe left.hasValue($0) }
    }

    /// Whether the value is these bytes.
    package func hasValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard value.count == bytes.count else { return false }
        return unsafe value.withUnsafeBytes { own in
            // Both are as long as each other, so both are empty where one has no address.
            guard let own = own.baseAddress, let other = bytes.baseAddress else { return true }
            return unsafe memcmp(own, other, bytes.count) == 0
        }
    }

    /// Hashes the bytes in one go; the array's own way takes them one by one.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(field)
        unsafe value.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}
