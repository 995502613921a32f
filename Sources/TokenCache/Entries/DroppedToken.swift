import TokenProtocol

/// A token that has left the cache and is to be revoked.
struct DroppedToken {
    let key: TokenKey
    let token: GrantedToken
    let expiry: Instant
}
