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
        let content = ProvisionContent(request)
        let policy: ProvisioningPolicy
        switch rules(for: user, request) {
        case .success(let rules): policy = rules
        case .failure(let error): return finish(.error(error), now)
        }
        if var reply = provisioned.reply(to: content, user, at: now) {
            statistics.users.remembered += 1
            reply.isFromCache = true
            return finish(.provisioned(reply), now)
        }
        let deadline = now + request.timeout
        if let error = joinError(user, content, policy, for: peer, until: deadline, now: now) {
            noteFailedAPICaller(of: user.tenant, error)
            return finish(.error(error), now)
        }
        evictWaiterIfFull(now: now)
        // A waiter that was evicted may have been the last one of this very job.
        let job =
            provisioning.find(user, content, policy)
            ?? addProvision(user, request, content, policy, for: peer, until: deadline, in: trace)
        var list = provisioning[job]?.waiters ?? Waiters.List()
        _ = waiters.add(
            waiter,
            of: peer.uid,
            at: user.tenant,
            for: .job(job),
            since: now,
            until: deadline,
            in: trace,
            to: &list
        )
        provisioning.update(job) {
            $0.waiters = list
            $0.deadline = max($0.deadline, deadline)
        }
        if let call = provisioning[job]?.call { promote(call, for: peer.uid) }
        // The request is not known to wait before this event is over, so its job begins with the next one.
        return Outcome(answer: nil, actions: finish(now, performsDeferredWork: false))
    }

    /// Returns the rules for a request, or the error for one that is not to be fulfilled under any circumstances.
    private func rules(for user: UserKey, _ request: ProvisionRequest) -> Result<ProvisioningPolicy, ErrorReply> {
        guard let tenant = tenants[user.tenant], !tenant.isRetired else { return .failure(.tenantRemoved) }
        guard let policy = tenant.governor.limits.provisioning else { return .failure(.noProvisioning) }
        guard request.groups?.allSatisfy(policy.covers) ?? true else { return .failure(.groupNotAllowed) }
        return .success(policy)
    }

    /// Returns the error for a request that can't wait, or that would wait in vain.
    private mutating func joinError(
        _ user: UserKey,
        _ content: ProvisionContent,
        _ rules: ProvisioningPolicy,
        for peer: Peer,
        until deadline: Instant,
        now: Instant
    ) -> ErrorReply? {
        guard deadline > now else { return .provisionTimedOut }
        guard canAddWaiter(for: peer.uid) else {
            countQuotaRejection(peer.uid)
            return .tooManyWaiting
        }
        let job = provisioning.find(user, content, rules)
        if job == nil {
            guard provisioning.canAdd(user, for: peer.uid) else { return .tooManyOfUser }
            guard canAddJob(for: peer) else { return .tooManyJobs }
        }
        let call = job.flatMap { provisioning[$0]?.call }.flatMap { calls[$0] }
        guard call?.sent == nil, let delay = tenants[user.tenant]?.api.delay(of: call?.ticket, for: peer.uid, now: now),
            delay.until >= deadline
        else { return nil }
        return .paced(delay.cause, until: delay.until, now: now)
    }

    /// True if a uid may have one more job, which is counted if it may not.
    mutating func canAddJob(for peer: Peer) -> Bool {
        if provisioning.canAdd(for: peer.uid, share: policy.waitingShare) { return true }
        countQuotaRejection(peer.uid)
        return false
    }

    private mutating func addProvision(
        _ user: UserKey,
        _ request: ProvisionRequest,
        _ content: ProvisionContent,
        _ policy: ProvisioningPolicy,
        for peer: Peer,
        until deadline: Instant,
        in trace: TraceContext?
    ) -> JobID {
        // The earlier result no longer holds, also if this one fails.
        provisioned.forget(user)
        let provision = UserProvision(request, policy)
        let job = provisioning.add(
            .provision(provision, content),
            of: user,
            policy,
            client: policy.client,
            for: peer,
            until: deadline,
            in: trace
        )
        let generation = newSerial()
        provisioning.update(job) { $0.generation = generation }
        if provisioning.isFirst(job) { begin(job) }
        return job
    }

    /// Begins a job whose turn it is.
    mutating func begin(_ id: JobID) {
        guard let job = provisioning[id] else { return }
        switch job.work {
        case .provision(let provision, _): authorize(id, provision.firstCall)
        case .sweep(let sweep, _): authorize(id, sweep.firstCall)
        }
    }

    // MARK: Forgetting

    /// Forgets all users of a tenant who were provisioned, or are being.
    mutating func forgetProvisions(of tenant: TenantID) {
        provisioned.flush(tenant, upTo: lastSerial)
        add(.sweepProvisions(tenant, upTo: lastSerial, nextJob: 0, nextUser: 0))
    }

    /// Frees some of the forgotten users, and returns the rest of the work.
    mutating func sweepProvisions(
        _ tenant: TenantID,
        upTo serial: UInt64,
        nextJob: Int,
        nextUser: Int,
        _ budget: inout Int
    ) -> DeferredWork? {
        var (job, user) = (nextJob, nextUser)
        while job < provisioning.indices.upperBound {
            guard budget > 0 else { return .sweepProvisions(tenant, upTo: serial, nextJob: job, nextUser: user) }
            if let found = provisioning.job(at: job), found.user.tenant == tenant, found.generation <= serial {
                provisioning.update(found.id) { $0.isRemembered = false }
            }
            job += 1
            budget -= 1
        }
        guard provisioned.sweep(from: &user, &budget) else {
            return .sweepProvisions(tenant, upTo: serial, nextJob: job, nextUser: user)
        }
        provisioned.endFlush(of: tenant, upTo: serial)
        return nil
    }
}
