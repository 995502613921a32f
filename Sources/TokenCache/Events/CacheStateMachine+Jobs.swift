import DequeModule
import TokenProtocol

/// The progress of jobs at the tenants' APIs.
///
/// A job asks for the token of its client as a peer would, makes its call, and decides by the outcome what to do next.
extension CacheStateMachine {
    // MARK: The client's token

    /// Makes a job ask for its client's token, with which it makes a call.
    mutating func authorize(_ id: JobID, _ call: APICall) {
        provisioning.update(id) { $0.phase = .authorizing(call) }
        jobEvents.append(.authorize(id))
    }

    /// Handles the events of jobs that other events have caused.
    ///
    /// - Parameter budget: The number of events, reduced by those that were handled.
    mutating func performJobEvents(_ budget: inout Int, now: Instant) {
        while budget > 0, let event = jobEvents.popFirst() {
            budget -= 1
            switch event {
            case .authorize(let job): askForToken(job, now: now)
            case .answered(let job, let reply): tokenAnswered(job, reply, now: now)
            }
        }
    }

    private mutating func askForToken(_ id: JobID, now: Instant) {
        guard let job = provisioning[id], case .authorizing = job.phase else { return }
        guard !job.isUnwanted else { return quit(id, now: now) }
        guard !job.isTooLate(at: now) else { return fail(id, .timedOut, now: now) }
        guard isAllowed(job), let key = clientKey(job.client, of: job.user.tenant) else {
            return fail(id, rejection(of: job), now: now)
        }
        // A job that has to be completed goes on when its callers are gone.
        let timeout = job.deadline > now ? job.deadline - now : TokenRequest.defaultTimeout
        let options = RequestOptions(timeout: timeout, refused: job.refused, peer: job.peer, trace: job.trace)
        switch answer(key, options, waiter: Waiter(id), now: now) {
        case .serve(let reply), .serveAndRefresh(let reply): authorized(id, key, reply.token, now: now)
        case .wait: break
        case .fail(let error): fail(id, error, now: now)
        }
    }

    private mutating func tokenAnswered(_ id: JobID, _ reply: Reply, now: Instant) {
        guard let job = provisioning[id], case .authorizing = job.phase else { return }
        switch reply {
        case .token(let token):
            guard !job.isUnwanted else { return quit(id, now: now) }
            guard isAllowed(job), let key = clientKey(job.client, of: job.user.tenant) else {
                return fail(id, rejection(of: job), now: now)
            }
            authorized(id, key, token.token, now: now)
        // Another caller has joined who waits longer.
        case .error(let error) where error.code == .timeout && job.deadline > now: jobEvents.append(.authorize(id))
        case .error(let error): fail(id, error.code == .timeout ? .provisionTimedOut : error, now: now)
        default: fail(id, .unexpectedAnswer, now: now)
        }
    }

    /// True if the rules under which a job was started are still in force.
    func isAllowed(_ job: Job) -> Bool {
        guard let tenant = tenants[job.user.tenant], !tenant.isRetired,
            let policy = tenant.governor.limits.provisioning
        else { return false }
        return job.provision == nil ? policy.revokeClient == job.policy.revokeClient : policy == job.policy
    }

    func rejection(of job: Job) -> ErrorReply {
        guard let tenant = tenants[job.user.tenant], !tenant.isRetired else { return .tenantChanged }
        return isAllowed(job) ? .clientRemoved : .provisioningChanged
    }

    // MARK: Calls

    private mutating func authorized(_ id: JobID, _ key: TokenKey, _ token: GrantedToken, now: Instant) {
        guard let job = provisioning[id], case .authorizing(let call) = job.phase else { return }
        let tenant = job.user.tenant
        let peer = waiters.first(of: job.waiters).flatMap { waiters[$0] }?.peer ?? job.peer.uid
        let delay =
            job.hasBegun
            ? tenants[tenant].flatMap { $0.api.delay(behind: $0.api.firstCount, now: now) }
            : tenants[tenant]?.api.delay(of: nil, for: peer, now: now)
        if let delay, delay.until >= job.deadline, job.provision?.hasChangedTenant == false {
            return fail(id, .paced(delay.cause, until: delay.until, now: now), now: now)
        }
        let work = APIWork(job: id, call: call, key: key, bearer: token)
        let queued = enqueue(.api(work), at: tenant, as: job.hasBegun ? .first : .caller(peer), for: job.peer)
        note(job.trace, of: queued, waits: false)
        provisioning.update(id) { $0.phase = .calling(queued) }
    }

    /// Takes the outcome of a job's call, and makes its next step.
    mutating func answered(_ id: JobID, _ work: APIWork, _ outcome: APIOutcome, now: Instant) {
        guard let job = provisioning[id], !job.hasEnded else { return }
        if case .refused(let upstream) = outcome, upstream.status == 401, job.refused == nil {
            return retry(id, work, now: now)
        }
        provisioning.update(id) {
            $0.refused = nil
            $0.hasBegun = $0.provision != nil
        }
        switch job.work {
        case .provision(var provision, let content):
            let step = provision.answered(outcome)
            let records = provision.takeRecords()
            provisioning.update(id) { $0.work = .provision(provision, content) }
            record(records, of: job, provision.userID)
            take(step, of: id, now: now)
        case .sweep(var sweep, let logout):
            let hadListed = sweep.hasListed
            let step = sweep.answered(outcome)
            provisioning.update(id) { $0.work = .sweep(sweep, logout: logout) }
            if sweep.hasListed, !hadListed { dropSwept(by: sweep, of: job.user, now: now) }
            take(step, of: id, now: now)
        }
    }

    /// Repeats a call once with another token, as the API has refused the client's.
    private mutating func retry(_ id: JobID, _ work: APIWork, now: Instant) {
        let fingerprint = work.bearer.fingerprint
        _ = report(work.key, fingerprint, now: now)
        provisioning.update(id) { $0.refused = fingerprint }
        authorize(id, work.call)
    }

    private mutating func take(_ step: UserProvision.Step, of id: JobID, now: Instant) {
        switch step {
        case .call(let call): authorize(id, call)
        case .done(let reply): succeed(id, reply, now: now)
        case .failed(let error): fail(id, error, now: now)
        case .callFailed(let failure): fail(id, apiError(failure, provisioning[id]?.user.tenant, now: now), now: now)
        }
    }

    private mutating func take(_ step: TokenSweep.Step, of id: JobID, now: Instant) {
        switch step {
        case .call(let call): authorize(id, call)
        case .done(let failure): endSweep(id, failure, now: now)
        case .callFailed(let failure):
            endSweep(id, apiError(failure, provisioning[id]?.user.tenant, now: now), now: now)
        }
    }

    private func apiError(_ failure: CallFailure, _ tenant: TenantID?, now: Instant) -> ErrorReply {
        let block = tenant.flatMap { tenants[$0] }.flatMap { $0.isRetired ? nil : $0.api.block(now) }
        return error(for: failure, block, now: now)
    }

    // MARK: Ends

    /// Ends a provision that has succeeded.
    private mutating func succeed(_ id: JobID, _ reply: ProvisionReply, now: Instant) {
        guard let job = provisioning[id], case .provision(_, let content) = job.work else { return }
        statistics.users.count(reply)
        if reply.isCreated { noteCreation(job.user, reply.userID, now: now) }
        negatives.forgetDenials(of: job.user)
        negatives.forgetDenials(of: UserKey(tenant: job.user.tenant, userID: reply.userID))
        if job.isRemembered, isAllowed(job) {
            var known = reply
            (known.isCreated, known.hasChangedGroups) = (false, false)
            provisioned.remember(
                job.user,
                content,
                known,
                until: now + policy.idleTTL,
                serial: newSerial(),
                limit: policy.maxEntries
            )
        }
        end(id, .provisioned(reply))
    }

    private mutating func noteCreation(_ user: UserKey, _ userID: String, now: Instant) {
        creations.add(user, at: now)
        creations.add(UserKey(tenant: user.tenant, userID: userID), at: now)
    }

    /// Ends a job that has failed.
    mutating func fail(_ id: JobID, _ error: ErrorReply, now: Instant) {
        guard let job = provisioning[id], !job.hasEnded else { return }
        guard let provision = job.provision else { return endSweep(id, error, now: now) }
        // A tenant's search may lag behind a creation.
        let isNew = !provision.isCreated && creations.contains(job.user, at: now)
        let error = isNew && (error == .hiddenUser || error.upstream?.status == 400) ? .userGone : error
        // A user who was created and couldn't be put into groups is there all the same.
        if provision.isCreated, let userID = provision.userID { noteCreation(job.user, userID, now: now) }
        // A refusal of the client's token is recorded as such.
        let isVerdict = job.hasBegun && Self.isVerdict(error)
        if isVerdict { statistics.users.refused += 1 }
        if job.hasBegun && provision.changesTenant || provision.hasChangedTenant || isVerdict {
            record([.failed(.init(error))], of: job, provision.userID)
        }
        end(id, .error(error))
    }

    /// True if an error is the tenant's answer, and not the lack of one.
    private static func isVerdict(_ error: ErrorReply) -> Bool { [.denied, .conflict].contains(error.code) }

    /// Ends a job of no more use, which has no waiters.
    mutating func quit(_ id: JobID, now: Instant) {
        if let waiter = waiters.find(Waiter(id)) { stopWaiting(waiter, now: now) }
        end(id, .error(.provisionTimedOut))
    }

    private mutating func end(_ id: JobID, _ reply: Reply) {
        if let next = provisioning.end(id, reply) { begin(next) }
    }

    private mutating func record(_ steps: [AuditRecord.ProvisionStep], of job: Job, _ userID: String?) {
        let trace = job.trace.map { TraceRecord(sent: nil, others: [$0.traceID]) }
        for step in steps {
            actions.records.append(
                AuditRecord(job.peer, .provision(job.user, userID: userID, step), trace: trace)
            )
        }
    }

    /// Handles a job that no request waits for any more.
    ///
    /// A call under way that only looks is waited for, as the next request may need what it finds.
    mutating func lastWaiterLeft(_ id: JobID, now: Instant) {
        guard let job = provisioning[id], !job.hasEnded, job.isUnwanted else { return }
        switch job.phase {
        case .waiting, .authorizing: quit(id, now: now)
        case .calling(let call): if calls[call]?.sent == nil { end(call, .unwanted, now: now) }
        case .ended: break
        }
    }

    // MARK: Replies

    /// Delivers the replies of ended jobs to their waiters, in slices.
    ///
    /// - Parameter budget: The number of replies, reduced by those that were delivered.
    mutating func deliverJobReplies(_ budget: inout Int, now: Instant) {
        while budget > 0, let id = provisioning.firstEnded, let job = provisioning[id],
            case .ended(let reply) = job.phase
        {
            var list = job.waiters
            for _ in 0..<min(budget, Self.repliesPerRound) {
                guard let waiter = waiters.first(of: list), let member = waiters.remove(waiter, from: &list) else {
                    break
                }
                deliver(reply, to: member, now: now)
                budget -= 1
            }
            provisioning.update(id, list)
            if !list.isEmpty { provisioning.rotate() }
        }
    }

    /// Delivers the reply of a job to one waiter.
    mutating func deliver(_ reply: Reply, to member: Waiters.Member, now: Instant) {
        if case .error(let error) = reply { noteFailedAPICaller(of: member.tenant, error) }
        touch(member.tenant)
        actions.deliveries.append(Delivery(waiter: member.waiter, reply: reply))
    }
}
