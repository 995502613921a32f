package import TokenProtocol

extension AuditRecord {
    /// A step of a provision that changed something at the tenant, or the failure that ended it.
    package enum ProvisionStep: Sendable, Equatable {
        /// The user was created.
        case created
        /// The user is in other groups now, which are named.
        case groupsChanged(added: [String], removed: [String])
        /// The provision has failed.
        case failed(Failure)
    }

    /// The reason why an act has failed.
    package struct Failure: Sendable, Equatable {
        /// The kind of failure.
        package var code: ErrorReply.Code
        /// The tenant's answer, or nil if it did not deny the call.
        package var upstream: ErrorReply.Upstream?
        /// A stable code of the daemon's own, such as `disabled`, or nil if there is none.
        package var cause: String?

        /// Creates a reason from the error that a caller gets.
        package init(_ error: ErrorReply) {
            code = error.code
            upstream = error.upstream
            cause = error.cause
        }
    }
}
