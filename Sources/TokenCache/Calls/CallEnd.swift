import TokenProtocol

/// The reason why a call ended.
///
/// All calls are ended by one function, which informs everyone concerned.
enum CallEnd {
    /// The tenant minted a token.
    case minted(MintedToken)
    /// The second level has the token.
    case found(MintedToken)
    /// The second level has the tenant's denial of the user.
    case refused(FleetRefusal)
    /// The second level couldn't say if the cached token still holds, so it is served.
    case kept(GrantedToken, TokenLife)
    /// The mint failed.
    case failed(CallFailure)
    /// The revocation ended, with or without an answer of the tenant.
    case revocation(RevocationOutcome)
    /// The call of the API ended with this outcome.
    case api(APIOutcome)
    /// It was not sent, as nobody needs it any more.
    case unwanted
    /// It was not sent, as the user has logged out.
    case loggedOut
    /// It was not sent, as the token that it revokes or renews has expired.
    case expired
    /// It was not sent, as too many background calls are queued.
    case overLimit
    /// It was not sent, as the tenant is not configured any more.
    case retired(ErrorReply)
    /// The daemon is shutting down, whether the call was sent or not.
    case shutDown
}
