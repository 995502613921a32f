package import TokenProtocol

/// Provisions: users who are found, created and put into groups.
extension CacheStateMachine {
    /// Makes sure that a user exists at the tenant and is in the right groups.
    ///
    /// - Returns: The reply, or nil if it comes when the tenant has answered.
    package mutating func provision(
        _ user: UserKey,
        _ request: ProvisionRequest,
        waiter: Waiter,
        for peer: Peer,
        in trace: TraceContext? = nil,
        now: Instant
    ) -> Outcome<Reply?> {
        finish(.error(.noProvisioning), now)
    }
}
