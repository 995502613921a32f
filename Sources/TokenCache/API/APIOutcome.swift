package import TokenProtocol

/// The outcome of a call of the tenant's API.
package enum APIOutcome: Sendable, Equatable {
    /// The users that were found, and the next page, or nil if this was the last one.
    case users([TenantUser], next: String?)
    /// The user was created.
    case created(TenantUser)
    /// The tenant did what was asked, without a result.
    case done
    /// The ids of the tokens that were found, and the next page, or nil if this was the last one.
    case tokens([String], next: String?)
    /// The tenant refused the request: a status from 400 on that says nothing of the tenant's health.
    case refused(ErrorReply.Upstream)
    /// The call failed: throttled, unavailable or malformed.
    case failed(CallFailure)
}
