/// A call of the tenant's API for users and their tokens, which is made with a client's own token.
package enum APICall: Sendable, Equatable {
    /// Find the users of a subject, on the first page or on a later one.
    ///
    /// The tenant compares without regard to case, so it may find others, too.
    case findUsers(subject: [UInt8], page: String?)
    /// Create a user.
    case createUser(NewUser)
    /// Change the groups of the user of an id.
    case changeGroups(userID: String, GroupChange)
    /// List the live tokens of the user of an id, on the first page or on a later one.
    case listTokens(userID: String, page: String?)
    /// Revoke the token of an id.
    case revokeToken(String)
}
