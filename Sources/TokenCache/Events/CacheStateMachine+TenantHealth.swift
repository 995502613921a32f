import TokenProtocol

/// The health of tenants and of their clients, as far as the ends of calls show it.
extension CacheStateMachine {
    /// Records how a sent call ended, and notifies operators of what that changed.
    mutating func noteEnd(of call: Call, _ ending: CircuitBreaker.Ending, now: Instant) {
        let jitterFraction = randomFraction()
        let tier = call.tier
        let change = tenants[call.tenant]?[tier].ended(call.id, ending, jitterFraction: jitterFraction, now: now)
        guard tenants[call.tenant]?.isRetired == false else { return }
        switch change {
        case .opened(let until):
            actions.notices.append(.opened(tier, call.tenant.name, until - now))
            if tenants[call.tenant]?[tier].circuit.cause == .faults {
                tenants[call.tenant]?.incidents.noteOpening(tier, now: now)
            }
        case .closed: noteClosing(of: call.tenant, tier, now: now)
        case .none?, nil: break
        }
        // The tenant is back, so paused retries take their turn.
        if ending == .success, tenants[call.tenant]?[tier].hasPauses == true { add(.endPauses(call.tenant)) }
    }

    private mutating func noteClosing(of tenant: TenantID, _ tier: Tier, now: Instant) {
        actions.notices.append(.closed(tier, tenant.name))
        tenants[tenant]?.incidents.noteClosing(tier, now: now)
    }

    /// Returns the meaning of a failure for the circuit breaker.
    func ending(of failure: CallFailure, _ call: Call) -> CircuitBreaker.Ending {
        let isOfClient = call.mint?.key.user.isClient ?? false
        return switch failure {
        // While the tenant's own client is denied, another 401 means that it still is.
        case .denied(let upstream, _) where upstream.status == 401 && !isOfClient && isClientDenied(call.tenant): .fault
        case .denied, .throttled, .rejected, .noMemory: .answer
        // The daemon has ended the call itself.
        case .unavailable(_, ErrorReply.Code.shuttingDown.rawValue, _): .unknown
        case .unavailable, .malformed: .fault
        }
    }

    private func isClientDenied(_ tenant: TenantID) -> Bool {
        if case .denied? = tenants[tenant]?.client.state { true } else { false }
    }

    /// Records that a tenant wants no calls for a while.
    mutating func noteHold(of tenant: TenantID, _ tier: Tier, _ failure: CallFailure, now: Instant) {
        let length: Duration?
        let cause: Governor.Delay.Cause
        switch failure {
        case .throttled(let retryAfter): (length, cause) = (retryAfter, .throttled)
        case .unavailable(_, _, .usable(let asked)): (length, cause) = (asked, .paused)
        case .unavailable(_, _, .unusable): (length, cause) = (nil, .paused)
        case .unavailable(_, _, nil), .denied, .malformed, .rejected, .noMemory: return
        }
        guard tenants[tenant]?.isRetired == false else { return }
        let jitterFraction = randomFraction()
        tenants[tenant]?[tier].hold(length, cause: cause, jitterFraction: jitterFraction, now: now)
        shareHold(of: tenant, tier, now: now)
        noteHold(of: tenant, tier, now: now)
    }

    /// Tells operators of the hold that is in force.
    mutating func noteHold(of tenant: TenantID, _ tier: Tier, now: Instant) {
        if let hold = tenants[tenant]?[tier].currentHold(at: now) {
            actions.notices.append(.held(tier, tenant.name, hold.until - now))
            let reason = ErrorReply.paced(hold.cause, until: hold.until, now: now).description
            tenants[tenant]?.incidents.noteHold(tier, until: hold.until, reason, now: now)
        }
    }

    /// Rejects callers who can't be served in time any more, after a hold or the circuit breaker has changed.
    mutating func recheckDeadlines(_ tenant: TenantID, _ tier: Tier, _ before: Instant?, now: Instant) {
        guard tenants[tenant]?.isRetired == false, let block = tenants[tenant]?[tier].blockedUntil(now),
            block != before
        else { return }
        checkDeadlines(tenant, tier)
    }

    /// Starts to reject callers of a tier who can't be served in time.
    mutating func checkDeadlines(_ tenant: TenantID, _ tier: Tier) {
        guard let governor = tenants[tenant]?[tier] else { return }
        add(.checkDeadlines(DeadlineCheck(tenant, tier, governor)))
    }

    // MARK: Incidents

    /// Records that a call of a tenant has failed.
    mutating func noteFailure(of tenant: TenantID, _ tier: Tier, _ failure: CallFailure, now: Instant) {
        guard tenants[tenant]?.isRetired == false else { return }
        tenants[tenant]?.incidents.noteFailure(tier, failure, now: now)
    }

    /// Counts a caller of a key who got an error.
    mutating func noteFailedCaller(of key: UserKey, _ error: ErrorReply) {
        tenants[key.tenant]?.incidents.count(.tokens, error.code, client: key.clientName)
    }

    /// Counts a caller of a tenant's API who got an error.
    mutating func noteFailedAPICaller(of tenant: TenantID, _ error: ErrorReply) {
        tenants[tenant]?.incidents.count(.api, error.code, client: nil)
    }

    /// Notifies operators of the incidents that are due to be reported.
    mutating func reportIncidents(of tenant: TenantID, now: Instant) {
        guard tenants[tenant]?.incidents.nextTime != nil, tenants[tenant]?.isRetired == false else { return }
        for tier in Tier.allCases where tenants[tenant]?[tier].currentHold(at: now) == nil {
            tenants[tenant]?.incidents.noteNoHold(tier, now: now)
        }
        let reports = tenants[tenant]?.incidents.reports(of: tenant.name, at: now) ?? []
        actions.notices += reports.map(CacheNotice.incident)
    }

    // MARK: The client

    /// Records that the tenant accepts the client, as it has minted with it.
    mutating func noteAcceptance(_ call: Call, _ mint: Mint, _ fate: Mint.Fate, now: Instant) {
        // A user who has logged out is not used as a probe.
        let key = fate == .current ? mint.key : nil
        guard tenants[call.tenant]?.isRetired == false, tenants[call.tenant]?.client.accepted(key) == true else {
            return
        }
        actions.notices.append(.clientAccepted(call.tenant.name))
        tenants[call.tenant]?.incidents.noteAcceptance(now: now)
        closeClientCircuit(of: call.tenant, now: now)
    }

    /// Evaluates what a failure shows about the client.
    mutating func noteDenial(_ call: Call, _ mint: Mint, _ failure: CallFailure, now: Instant) {
        guard tenants[call.tenant]?.isRetired == false else { return }
        // A denial with an old secret shows nothing about the client with the new one.
        guard case .denied(let upstream, secretChanged: false) = failure else {
            return probeLost(call, wasSent: true, now: now)
        }
        let is401 = upstream.status == 401
        switch tenants[call.tenant]?.client.denied(mint.key, call.id, isUnauthorized: is401, now: now) {
        case .doubtful:
            actions.notices.append(.clientDoubtful(call.tenant.name, upstream))
            tenants[call.tenant]?.incidents.note(.doubtful, upstream, now: now)
        case .suspected(let probe):
            actions.notices.append(.clientSuspected(call.tenant.name, upstream, isProbed: probe != nil))
            tenants[call.tenant]?.incidents.note(.suspected(isProbed: probe != nil), upstream, now: now)
            if let probe { self.probe(probe, now: now) }
        case .proven: denyClient(of: call.tenant, upstream, now: now)
        case .none?, nil: break
        }
        if !is401 { probeLost(call, wasSent: true, now: now) }
    }

    /// Handles a mint that ended without a result for the client.
    ///
    /// If it was the probe, another one may follow.
    mutating func probeLost(_ call: Call, wasSent: Bool, now: Instant) {
        guard tenants[call.tenant]?.isRetired == false,
            let key = tenants[call.tenant]?.client.lost(call.id, wasSent: wasSent)
        else { return }
        probe(key, now: now)
    }

    /// Mints a key to probe the client, with the mint that is queued for it or with a new one.
    private mutating func probe(_ key: TokenKey, now: Instant) {
        let tenant = key.user.tenant
        let present = currentCall(of: key)
        let call = present ?? enqueue(key, .probe, as: .first)
        if present != nil {
            calls.update(call) { $0.mint?.isProbe = true }
            requeue(call, now: now)
        }
        tenants[tenant]?.client.probes(with: call)
    }

    private mutating func denyClient(of tenant: TenantID, _ upstream: ErrorReply.Upstream, now: Instant) {
        actions.notices.append(.clientDenied(tenant.name))
        tenants[tenant]?.incidents.note(.denied, upstream, now: now)
        let jitterFraction = randomFraction()
        if case .opened(let until)? = tenants[tenant]?.governor.denyClient(jitterFraction: jitterFraction, now: now) {
            actions.notices.append(.circuitOpened(tenant.name, until - now))
        }
    }

    private mutating func closeClientCircuit(of tenant: TenantID, now: Instant) {
        if tenants[tenant]?.governor.acceptClient() == .closed { noteClosing(of: tenant, .tokens, now: now) }
    }

    /// Handles a change of a client's secret.
    ///
    /// Earlier denials of the client no longer count, and users who were denied with 401 may have been denied because
    /// of the old secret.
    package mutating func secretChanged(of client: ClientReference, now: Instant) -> CacheActions {
        let tenant = client.tenant
        guard tenants[tenant]?.isRetired == false else { return finish(now) }
        if let name = client.name {
            furtherSecretChanged(of: UserKey(tenant: tenant, client: name), now: now)
            touch(tenant)
            return finish(now)
        }
        negatives.forgetUnauthorized(tenant, upTo: lastSerial)
        add(.sweepNegatives(tenant, upTo: lastSerial, next: 0))
        tenants[tenant]?.client.secretChanged()
        tenants[tenant]?.incidents.noteAcceptance(now: now)
        closeClientCircuit(of: tenant, now: now)
        touch(tenant)
        return finish(now)
    }
}
