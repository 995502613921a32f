import TokenProtocol

/// The completion of calls of the tenants' APIs.
extension CacheStateMachine {
    /// Completes a call of a tenant's API.
    package mutating func apiEnded(_ id: CallID, _ outcome: APIOutcome, now: Instant) -> CacheActions {
        if calls[id]?.sent != nil { end(id, .api(outcome), now: now) }
        return finish(now)
    }

    /// Ends a call of the API, and informs its job.
    mutating func end(_ call: Call, _ work: APIWork, _ reason: CallEnd, now: Instant) {
        switch reason {
        case .api(let outcome):
            noteOutcome(of: call, work, outcome, now: now)
            answered(work.job, work, outcome, now: now)
        case .retired(let error): fail(work.job, error, now: now)
        case .shutDown: fail(work.job, .shuttingDown, now: now)
        case .minted, .found, .refused, .kept, .failed, .revocation, .unwanted, .loggedOut, .expired, .overLimit:
            reject(work.job, now: now)
        }
    }

    /// Ends a job whose call is not to be sent.
    private mutating func reject(_ id: JobID, now: Instant) {
        guard let job = provisioning[id] else { return }
        if job.isUnwanted { return quit(id, now: now) }
        fail(id, job.isTooLate(at: now) ? .timedOut : rejection(of: job), now: now)
    }

    private mutating func noteOutcome(of call: Call, _ work: APIWork, _ outcome: APIOutcome, now: Instant) {
        let before = tenants[call.tenant]?.api.blockedUntil(now)
        switch outcome {
        case .users, .created, .done, .tokens:
            noteEnd(of: call, .success, now: now)
            noteAPIAccess(of: work, nil, now: now)
        case .refused(let upstream):
            noteEnd(of: call, .answer, now: now)
            noteAPIAccess(of: work, upstream, now: now)
        case .failed(let failure):
            noteHold(of: call.tenant, .api, failure, now: now)
            noteFailure(of: call.tenant, .api, failure, now: now)
            noteEnd(of: call, ending(of: failure, call), now: now)
        }
        statistics.calls.change(call.tenant) { $0.countAPI(outcome.error) }
        recheckDeadlines(call.tenant, .api, before, now: now)
    }

    /// Forgets to which clients the API is closed, as there may be other ones now.
    mutating func forgetAPIRefusals(of tenant: TenantID, now: Instant) {
        for client in tenants[tenant]?.apiClients.refusals.keys.sorted() ?? [] {
            _ = tenants[tenant]?.apiClients.forget(client)
            tenants[tenant]?.incidents.noteAcceptance(of: client, now: now)
        }
    }

    /// Records what the end of a call shows about its client's access to the API.
    ///
    /// A first 401 may be about the token alone.
    private mutating func noteAPIAccess(of work: APIWork, _ upstream: ErrorReply.Upstream?, now: Instant) {
        let tenant = work.key.user.tenant
        guard let client = work.key.user.clientName, let state = tenants[tenant], !state.isRetired,
            let policy = state.governor.limits.provisioning, [policy.client, policy.revokeClient].contains(client)
        else { return }
        guard let upstream else {
            if tenants[tenant]?.apiClients.forget(client) == true {
                tenants[tenant]?.incidents.noteAcceptance(of: client, now: now)
            }
            return
        }
        let isAgain = provisioning[work.job]?.refused != nil
        guard upstream.status == 403 || upstream.status == 401 && isAgain else { return }
        tenants[tenant]?.apiClients.refused(client, upstream, now: now)
        tenants[tenant]?.incidents.noteRefusal(of: client, upstream, now: now)
    }
}

extension APIOutcome {
    /// The kind of failure, or nil if the tenant did what was asked.
    var error: ErrorReply.Code? {
        switch self {
        case .users, .created, .done, .tokens: nil
        case .refused, .failed(.denied): .denied
        case .failed(.throttled): .rateLimited
        case .failed(.unavailable): .unavailable
        case .failed(.malformed), .failed(.rejected): .badUpstream
        case .failed(.noMemory): .overloaded
        }
    }
}
