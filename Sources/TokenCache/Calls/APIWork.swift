import TokenProtocol

/// The state of a call of the tenant's API.
struct APIWork {
    /// The job whose step it is.
    let job: JobID
    let call: APICall
    /// The key of the token that it is made with.
    let key: TokenKey
    /// The token that it is made with.
    let bearer: GrantedToken
}
