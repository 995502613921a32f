import TokenProtocol

/// The errors of provisions and of revocations everywhere.
extension ErrorReply {
    /// The error for a tenant whose users this daemon must not change.
    static let noProvisioning = ErrorReply(.forbidden, "the tenant's configuration has no 'provision' that allows this")

    /// The error for a group that the tenant's patterns don't cover.
    static let groupNotAllowed = ErrorReply(.forbidden, "a group is not covered by the tenant's 'provision.groups'")

    /// The error for requests that wait while a reload changes the rules of their tenant's provisioning.
    static let provisioningChanged = ErrorReply(
        .forbidden,
        "the tenant's 'provision' has changed while the request waited; ask again"
    )

    /// The error for a client, which has no user whose tokens could be revoked everywhere.
    static let clientEverywhere = ErrorReply(
        .invalidRequest,
        "the tokens of a client can't be revoked everywhere: only those of a user"
    )

    /// The error for a caller whose user was not provisioned in time.
    static let provisionTimedOut = ErrorReply(
        .timeout,
        "the caller's timeout passed before the user was provisioned; ask again to see what has been done"
    )

    /// The error for too many provisions and revocations everywhere.
    static let tooManyJobs = ErrorReply(.overloaded, "too many users are being provisioned", retryAfter: 1)

    /// The error for too many provisions of one user.
    static let tooManyOfUser = ErrorReply(
        .overloaded,
        "too many different provisions of this user wait for their turn",
        retryAfter: 1
    )

    /// The error for a user whom the tenant has disabled or deleted.
    static func userRefused(_ status: String) -> ErrorReply {
        ErrorReply(.denied, "the user is \(status) at the tenant", cause: status)
    }

    /// The error for a subject that several users have.
    static let severalUsers = ErrorReply(.conflict, "the tenant has several users with this subject")

    /// The error for a user who is there, as the tenant says, and whom it doesn't find.
    static let hiddenUser = ErrorReply(
        .conflict,
        "the tenant says that the user exists, but has none with this subject"
    )

    /// The error for a user who was there a moment ago.
    static let userGone = ErrorReply(
        .unavailable,
        "the tenant doesn't find the user any more; ask again",
        retryAfter: 1
    )

    /// The error for a user of another subject than the requested one.
    static let otherUserCreated = ErrorReply(.badUpstream, "the tenant created a user with another subject")

    /// The error for groups that are not as requested after two changes.
    static let groupsNotChanged = ErrorReply(.badUpstream, "the tenant accepted a change of groups and has not made it")

    /// The error for a search that has no end.
    static let tooManyPages = ErrorReply(.badUpstream, "the tenant's list of users has too many pages")

    /// The error for a user with more tokens than one request revokes.
    static let tooManyTokens = ErrorReply(
        .rateLimited,
        "the user has more tokens than one request revokes; ask again for the others",
        retryAfter: 1
    )

    /// The error for an answer that doesn't belong to the call.
    static let unexpectedAnswer = ErrorReply(.badUpstream, "the tenant's answer doesn't belong to the call")
}
