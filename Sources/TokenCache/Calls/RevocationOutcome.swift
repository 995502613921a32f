/// The outcome of a call to revoke a token.
package enum RevocationOutcome: Sendable, Equatable {
    /// The tenant accepted the revocation.
    case accepted
    /// The tenant answered with 400, 401, 403 or 404.
    case denied
    /// The call failed for a reason for which a mint could fail, too, but never by a denial.
    case failed(CallFailure)
}
