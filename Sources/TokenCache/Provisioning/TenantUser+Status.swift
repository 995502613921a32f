import TokenProtocol

extension TenantUser {
    /// The statuses that the daemon knows.
    enum Status {
        static let active = "active"
        static let invited = "invited"
        static let disabled = "disabled"
        static let deleted = "deleted"
    }

    /// The error for a user who is not to be used, or nil for one who may be.
    ///
    /// The daemon never revives a user.
    var refusal: ErrorReply? {
        switch status {
        case Status.active, Status.invited: nil
        case Status.disabled, Status.deleted: .userRefused(status)
        default: ErrorReply(.badUpstream, "the tenant gives the user a status that this version doesn't know")
        }
    }
}
