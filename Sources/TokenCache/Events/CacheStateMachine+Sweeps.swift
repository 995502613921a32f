import TokenProtocol

/// Revocations of all of a user's tokens, those that were minted elsewhere included.
extension CacheStateMachine {
    /// Returns the error for a request that is not to be fulfilled under any circumstances.
    func everywhereError(_ user: UserKey) -> ErrorReply? {
        guard user.user.field != .client else { return .clientEverywhere }
        guard let tenant = tenants[user.tenant], !tenant.isRetired else { return .tenantRemoved }
        return tenant.governor.limits.provisioning?.revokeClient == nil ? .noProvisioning : nil
    }

    /// True if a call of the API can be sent in time.
    func canWaitForAPI(of tenant: TenantID, _ peer: Peer, _ deadline: Instant, now: Instant) -> Bool {
        tenants[tenant]?.api.delay(of: nil, for: peer.uid, now: now).map { $0.until < deadline } ?? true
    }

    /// Adds the revocation of a user's tokens by the API, or returns nil if there are too many jobs.
    mutating func addSweep(of user: UserKey, for peer: Peer, until deadline: Instant, in trace: TraceContext?) -> JobID?
    {
        guard canAddJob(for: peer), let policy = tenants[user.tenant]?.governor.limits.provisioning,
            let client = policy.revokeClient
        else { return nil }
        let job = provisioning.add(
            .sweep(TokenSweep(of: user.user), logout: nil),
            of: user,
            policy,
            client: client,
            for: peer,
            until: deadline,
            in: trace
        )
        begin(job)
        return job
    }

    /// Drops the cached tokens of a user whose tokens were listed to be revoked.
    ///
    /// A login since the logout may have cached one, and so may requests that name the user by its id.
    mutating func dropSwept(by sweep: TokenSweep, of user: UserKey, now: Instant) {
        let users = [user] + sweep.foundIDs.map { UserKey(tenant: user.tenant, userID: $0) }
        for user in users {
            statistics.evictions.revoked += drop(user, scopes: nil).count
            dropInFleet(.user(user, nil), .eviction, now: now)
        }
    }

    /// Returns the number of tokens that a job has revoked so far.
    func sweptCount(of id: JobID) -> Int {
        if case .sweep(let sweep, _)? = provisioning[id]?.work { sweep.count } else { 0 }
    }

    /// Ends the revocation of a user's tokens by the API.
    ///
    /// - Parameter failure: The reason why some are left, or nil if none is.
    mutating func endSweep(_ id: JobID, _ failure: ErrorReply?, now: Instant) {
        guard let job = provisioning[id], case .sweep(let sweep, let logout) = job.work else { return }
        actions.records.append(
            AuditRecord(
                job.peer,
                .revokeEverywhere(job.user, count: sweep.count, failure.map(AuditRecord.Failure.init)),
                trace: job.trace.map { TraceRecord(sent: nil, others: [$0.traceID]) }
            )
        )
        statistics.users.revoked += sweep.count
        _ = provisioning.end(id, .revokedEverywhere(false, upstream: failure == nil, count: sweep.count))
        guard let logout, case .logout(var state)? = waiters[logout]?.goal else { return }
        state.sweep = .ended(count: sweep.count, isComplete: failure == nil)
        update(logout, state)
    }
}
