/// The kind of name by which a request names the owner of a token.
///
/// The numbers are part of the form of persisted tokens.
package enum LookupField: UInt8, Sendable, Hashable, CaseIterable {
    /// The subject by which the identity provider knows the user.
    case subject
    /// The tenant's own id of the user.
    case userID
    /// One of the tenant's further clients, by its name in the configuration.
    ///
    /// The tenant mints the client's own token, which belongs to no user.
    case client

    /// The member of a request that has such a value.
    package var memberName: String {
        switch self {
        case .subject: "subject"
        case .userID: "user_id"
        case .client: "client"
        }
    }
}
