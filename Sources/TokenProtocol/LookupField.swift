/// How the tenant is to look a user up.
package enum LookupField: UInt8, Sendable, Hashable, CaseIterable {
    /// By the subject that the identity provider knows the user by.
    case subject
    /// By the tenant's own id of the user.
    case userID

    /// The member of a request that carries such a value.
    package var memberName: String {
        switch self {
        case .subject: "subject"
        case .userID: "user_id"
        }
    }
}
