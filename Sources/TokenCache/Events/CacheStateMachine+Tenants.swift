import TokenProtocol

/// What the ends of calls tell of a tenant: whether it is well, and whether it takes the client.
extension CacheStateMachine {
    /// Tells the governor how a call ended that had been sent, and operators what that changed.
    mutating func noteEnd(of call: Call, _ ending: CircuitBreaker.Ending, now: Instant) {
        let draw = draw()
        let change = tenants[call.tenant]?.governor.ended(call.id, ending, draw: draw, now: now)
        guard tenants[call.tenant]?.isRetired == false else { return }
        switch change {
        case .opened(let until): actions.notices.append(.circuitOpened(call.tenant.name, until - now))
        case .closed: actions.notices.append(.circuitClosed(call.tenant.name))
        case .none?, nil: break
        }
        // The tenant is back: what was to be tried again later goes in its turn.
        if ending == .success, tenants[call.tenant]?.governor.hasPauses == true { add(.endPauses(call.tenant)) }
    }

    /// How a failure ends a call, as far as it tells of the tenant.
    func ending(of failure: CallFailure, _ tenant: TenantID) -> CircuitBreaker.Ending {
        switch failure {
        // While the client is refused, another 401 means that it still is.
        case .denied(let upstream, _) where upstream.status == 401 && isClientRefused(tenant): .fault
        case .denied, .throttled, .rejected, .noMemory: .answer
        case .unavailable, .malformed: .fault
        }
    }

    private func isClientRefused(_ tenant: TenantID) -> Bool {
        if case .refused? = tenants[tenant]?.client.state { true } else { false }
    }

    /// Notes that a tenant wants to be left alone.
    mutating func noteHold(of tenant: TenantID, _ failure: CallFailure, now: Instant) {
        let length: Duration?
        let cause: Governor.Delay.Cause
        switch failure {
        case .throttled(let retryAfter): (length, cause) = (retryAfter, .throttled)
        case .unavailable(_, _, .usable(let asked)): (length, cause) = (asked, .paused)
        case .unavailable(_, _, .unusable): (length, cause) = (nil, .paused)
        case .unavailable(_, _, nil), .denied, .malformed, .rejected, .noMemory: return
        }
        guard tenants[tenant]?.isRetired == false else { return }
        let draw = draw()
        tenants[tenant]?.governor.hold(length, cause: cause, draw: draw, now: now)
        if let hold = tenants[tenant]?.governor.currentHold(at: now) {
            actions.notices.append(.held(tenant.name, hold.until - now))
        }
    }

    /// Callers who can't be served in time any more are told at once, where a hold or the circuit has changed.
    mutating func paceAnew(_ tenant: TenantID, _ before: Instant?, now: Instant) {
        guard let governor = tenants[tenant]?.governor, tenants[tenant]?.isRetired == false,
            let block = governor.blockedUntil(now), block != before
        else { return }
        add(.pace(PacingSweep(tenant, governor)))
    }

    // MARK: The client

    /// Notes that the tenant takes the client: it has minted with it.
    mutating func noteAcceptance(_ call: Call, _ mint: Mint, _ fate: Mint.Fate, now: Instant) {
        // Whoever has logged out meanwhile is no user to probe with.
        let key = fate == .current ? mint.key : nil
        guard tenants[call.tenant]?.isRetired == false, tenants[call.tenant]?.client.accepted(key) == true else {
            return
        }
        actions.notices.append(.clientAccepted(call.tenant.name))
        closeClientCircuit(of: call.tenant)
    }

    /// Looks at a failure for what it tells of the client.
    mutating func noteRefusal(_ call: Call, _ mint: Mint, _ failure: CallFailure, now: Instant) {
        guard tenants[call.tenant]?.isRetired == false else { return }
        // What was refused with an old secret says nothing of the client as it is.
        guard case .denied(let upstream, secretChanged: false) = failure else {
            return probeLost(call, wasSent: true, now: now)
        }
        let is401 = upstream.status == 401
        switch tenants[call.tenant]?.client.refused(mint.key, call.id, isUnauthorized: is401, now: now) {
        case .doubtful: actions.notices.append(.clientDoubtful(call.tenant.name, upstream))
        case .suspected(let probe):
            actions.notices.append(.clientSuspected(call.tenant.name, upstream, isProbed: probe != nil))
            if let probe { self.probe(probe, now: now) }
        case .proven: refuseClient(of: call.tenant, now: now)
        case .none?, nil: break
        }
        if !is401 { probeLost(call, wasSent: true, now: now) }
    }

    /// A mint has ended that said nothing of the client; if it was to find out about it, another may.
    mutating func probeLost(_ call: Call, wasSent: Bool, now: Instant) {
        guard tenants[call.tenant]?.isRetired == false,
            let key = tenants[call.tenant]?.client.lost(call.id, wasSent: wasSent)
        else { return }
        probe(key, now: now)
    }

    /// Has a key minted to find out about the client, by the mint that is planned for it already or by one of its own.
    private mutating func probe(_ key: TokenKey, now: Instant) {
        let tenant = key.user.tenant
        let present = currentCall(of: key)
        let call = present ?? plan(key, .probe, as: .first)
        if present != nil {
            calls.update(call) { $0.mint?.isProbe = true }
            requeue(call, now: now)
        }
        tenants[tenant]?.client.probes(with: call)
    }

    private mutating func refuseClient(of tenant: TenantID, now: Instant) {
        actions.notices.append(.clientRefused(tenant.name))
        let draw = draw()
        if case .opened(let until)? = tenants[tenant]?.governor.refuseClient(draw: draw, now: now) {
            actions.notices.append(.circuitOpened(tenant.name, until - now))
        }
    }

    private mutating func closeClientCircuit(of tenant: TenantID) {
        if tenants[tenant]?.governor.acceptClient() == .closed {
            actions.notices.append(.circuitClosed(tenant.name))
        }
    }

    /// A client's secret has changed: what is known against the client no longer counts, and users who were refused with
    /// 401 may have been refused for it.
    package mutating func secretChanged(of tenant: TenantID, now: Instant) -> CacheActions {
        guard tenants[tenant]?.isRetired == false else { return finish(now) }
        negatives.forgetUnauthorized(tenant, upTo: lastSerial)
        add(.sweepNegatives(tenant, upTo: lastSerial, next: 0))
        tenants[tenant]?.client.secretChanged()
        closeClientCircuit(of: tenant)
        touch(tenant)
        return finish(now)
    }
}
