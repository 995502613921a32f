import Secrets
import TokenProtocol

/// Work at the tenant's API that takes several calls, one after another: a provision, or a revocation of all of a
/// user's tokens.
struct Job {
    /// The task of a job.
    enum Work {
        case provision(UserProvision, ProvisionContent)
        /// The logout waits for it, unless its caller is gone.
        case sweep(TokenSweep, logout: Waiters.ID?)
    }

    /// The progress of a job.
    enum Phase {
        /// Earlier provisions of the same user have not ended.
        case waiting
        /// The client's token is being asked for, with which the call is made.
        case authorizing(APICall)
        /// The call is queued or under way.
        case calling(CallID)
        /// The job has ended, and its reply has not reached all its waiters.
        case ended(Reply)
    }

    let id: JobID
    /// The user that the request has named.
    let user: UserKey
    /// The peer whose request started it.
    let peer: Peer
    /// The name of the client whose token is used.
    let client: String
    /// The rules under which it was started.
    let policy: ProvisioningPolicy
    var work: Work
    var phase = Phase.waiting
    /// The requests that wait for a provision.
    ///
    /// The logout that waits for a sweep is named in ``Work/sweep(_:logout:)``.
    var waiters = Waiters.List()
    /// The latest deadline of all its waiters, those that are gone included.
    var deadline: Instant
    /// The trace of the request that started it.
    let trace: TraceContext?
    /// The token that the tenant has refused for the present call, or nil if it has refused none.
    var refused: Fingerprint?
    /// The number of the generation of its result: a flush voids those up to its own number.
    var generation: UInt64 = 0
    /// False if the user was evicted or flushed while the job was under way, so that its result is not remembered.
    var isRemembered = true

    /// Notes that a logout waits for it.
    mutating func joinLogout(_ logout: Waiters.ID) {
        if case .sweep(let sweep, _) = work { work = .sweep(sweep, logout: logout) }
    }

    /// Notes that the logout that has started it waits no longer.
    mutating func leaveLogout() {
        if case .sweep(let sweep, _) = work { work = .sweep(sweep, logout: nil) }
    }

    /// Changes it in place.
    mutating func change(_ change: (inout Job) -> Void) { change(&self) }

    var provision: UserProvision? { if case .provision(let provision, _) = work { provision } else { nil } }

    /// True if the tenant has answered a call of a provision.
    ///
    /// It then goes before those that have not begun, which would otherwise take all of the tenant's rate.
    var hasBegun = false

    /// True if it has ended.
    var hasEnded: Bool { if case .ended = phase { true } else { false } }

    /// The call that is queued or under way, or nil if there is none.
    var call: CallID? { if case .calling(let call) = phase { call } else { nil } }

    /// True if it is a sweep that has not listed the tokens when it was to be over.
    ///
    /// Its caller knows that it failed, and later it would revoke the tokens of a new login.
    func isTooLate(at now: Instant) -> Bool {
        guard case .sweep(let sweep, _) = work else { return false }
        return !sweep.hasListed && deadline <= now
    }

    /// True if its result is of use to nobody any more, and nothing was changed that has to be completed.
    ///
    /// A logout is completed even if its caller is gone.
    var isUnwanted: Bool {
        guard let provision else { return false }
        return waiters.isEmpty && !provision.hasChangedTenant
    }
}
