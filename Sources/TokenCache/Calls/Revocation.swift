import TokenProtocol

/// The state of a call that revokes a token.
struct Revocation {
    let user: UserKey
    let scopes: ScopeSet
    let token: GrantedToken
    /// The token's expiry.
    let expiry: Instant
    /// The logout that waits for it, or nil if none does.
    var logout: Waiters.ID?
    /// Its handle in the heap of revocations by expiry.
    var timer: IndexedHeap<Instant, CallID>.Handle
}
