import TokenProtocol

/// The state of a logout that waits for the tenant.
struct Logout: Equatable {
    /// The progress of the revocation of the tokens that were minted elsewhere.
    enum Sweep: Equatable {
        case underWay(JobID)
        /// It has ended with this number of revoked tokens, and is complete if none is left.
        case ended(count: Int, isComplete: Bool)
    }

    /// The revocations of cached tokens that have not ended.
    var open: [CallID]
    /// True if the tenant has revoked all cached tokens whose revocation has ended.
    var allTaken: Bool
    /// True if a cached token was dropped.
    var hasDropped: Bool
    /// The revocation of tokens that were minted elsewhere, or nil if it was not requested.
    var sweep: Sweep?

    /// The drop of the tokens that other machines have, until it is answered, or nil if there is nothing to wait for.
    var drop: FleetDropID?

    /// True if there is nothing left to wait for.
    var isDone: Bool {
        if case .underWay? = sweep { return false }
        return open.isEmpty && drop == nil
    }

    /// The job that revokes tokens that were minted elsewhere, or nil if there is none under way.
    var job: JobID? { if case .underWay(let job)? = sweep { job } else { nil } }

    /// The reply of a logout that waits no longer.
    ///
    /// - Parameter count: The number of tokens that a sweep under way has revoked so far.
    func reply(soFar count: Int = 0) -> Reply {
        let isTaken = allTaken && open.isEmpty
        switch sweep {
        case nil: return .revoked(hasDropped, upstream: hasDropped ? isTaken : nil)
        case .underWay: return .revokedEverywhere(hasDropped, upstream: false, count: count)
        case .ended(let count, let isComplete):
            return .revokedEverywhere(hasDropped, upstream: isTaken && isComplete, count: count)
        }
    }
}
