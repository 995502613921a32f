/// The field by which the tenant looks up a user.
package enum LookupField: UInt8, Sendable, Hashable, CaseIterable {
    /// The subject by which the identity provider knows the user.
    case subject
    /// The tenant's own id of the user.
    case userID

    /// The member of a request that has such a value.
    package var memberName: String {
        switch self {
        case .subject: "subject"
        case .userID: "user_id"
        }
    }
}
