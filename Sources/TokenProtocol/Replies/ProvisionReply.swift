/// The reply to `provision`.
package struct ProvisionReply: Sendable, Equatable {
    /// The tenant's own id of the user.
    package var userID: String
    /// The user's status at the tenant, such as `active` or `invited`.
    package var status: String
    /// True if this request created the user.
    package var isCreated: Bool
    /// True if this request changed the user's groups.
    package var hasChangedGroups: Bool
    /// True if the user was remembered, so that the tenant was not called.
    package var isFromCache: Bool

    /// Creates a reply.
    package init(
        userID: String,
        status: String,
        isCreated: Bool = false,
        hasChangedGroups: Bool = false,
        isFromCache: Bool = false
    ) {
        self.userID = userID
        self.status = status
        self.isCreated = isCreated
        self.hasChangedGroups = hasChangedGroups
        self.isFromCache = isFromCache
    }
}
