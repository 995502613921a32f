import TokenProtocol

/// What the ends of calls tell of a tenant: whether it is well, and whether it takes the client.
extension CacheStateMachine {
    /// Tells the governor how a call ended, and operators what that changed.
    mutating func noteEnd(
        of call: CallID,
        of tenant: String,
        _ number: Int?,
        _ ending: Circuit.Ending,
        now: Instant
    ) {
        // What another tenant or client of this name did tells nothing of this one.
        let ending = number == tenants[tenant]?.number ? ending : .unknown
        let draw = draw()
        switch tenants[tenant]?.governor.ended(call, ending, draw: draw, now: now) {
        case .opened(let until): notices.append(.circuitOpened(tenant, until - now))
        case .closed: notices.append(.circuitClosed(tenant))
        case .none?, nil: break
        }
    }

    /// How a failure ends a call, as far as it tells of the tenant.
    func ending(of failure: MintFailure, _ tenant: String) -> Circuit.Ending {
        switch failure {
        // While the client is refused, another 401 means that it still is.
        case .denied(let upstream, _) where upstream.status == 401 && isClientRefused(tenant): .fault
        case .denied, .throttled: .answer
        case .unavailable, .nonsense: .fault
        }
    }

    private func isClientRefused(_ tenant: String) -> Bool {
        if case .refused? = tenants[tenant]?.governor.client.state { true } else { false }
    }

    /// Notes that a tenant wants to be left alone.
    mutating func noteHold(of tenant: String, _ number: Int?, _ failure: MintFailure, now: Instant) {
        let length: Duration?
        let cause: Governor.Delay.Cause
        switch failure {
        case .throttled(let retryAfter): (length, cause) = (retryAfter, .throttled)
        case .unavailable(_, .asked(let asked)): (length, cause) = (asked, .paused)
        case .unavailable(_, .unreadable): (length, cause) = (nil, .paused)
        case .unavailable(_, nil), .denied, .nonsense: return
        }
        guard number == tenants[tenant]?.number else { return }
        let draw = draw()
        tenants[tenant]?.governor.hold(length, cause: cause, draw: draw, now: now)
        if let hold = tenants[tenant]?.governor.currentHold(at: now) {
            notices.append(.held(tenant, hold.until - now))
        }
    }

    /// Notes that the tenant takes the client: it has minted with it.
    mutating func noteAcceptance(_ flight: Flight, now: Instant) {
        let tenant = flight.key.user.tenant
        guard flight.tenantNumber == tenants[tenant]?.number,
            tenants[tenant]?.governor.client.accepted(flight.key) == true
        else { return }
        notices.append(.clientAccepted(tenant))
        closeClientCircuit(of: tenant)
    }

    /// Looks at a refusal for what it tells of the client.
    mutating func noteRefusal(_ call: CallID, _ flight: Flight, _ failure: MintFailure, now: Instant) {
        let tenant = flight.key.user.tenant
        guard flight.tenantNumber == tenants[tenant]?.number else { return }
        guard case .denied(let upstream, _) = failure else {
            tenants[tenant]?.governor.client.probeFailed(call)
            return
        }
        guard upstream.status == 401 else {
            tenants[tenant]?.governor.client.answered(call)
            return
        }
        switch tenants[tenant]?.governor.client.refused(flight.key, call, now: now) {
        case .suspected(let probe): suspectClient(of: tenant, probe)
        case .proven: refuseClient(of: tenant, now: now)
        case .none?, nil: break
        }
    }

    /// The client of a tenant has another secret: what is known against it no longer counts.
    mutating func trustClient(of tenant: String) {
        tenants[tenant]?.governor.client.secretChanged()
        closeClientCircuit(of: tenant)
    }

    private mutating func suspectClient(of tenant: String, _ probe: TokenKey?) {
        notices.append(.clientSuspected(tenant, isProbed: probe != nil))
        guard let probe else { return }
        let call = currentFlights[probe.user]?[probe.scopes] ?? plan(probe, as: .probe)
        tenants[tenant]?.governor.client.probes(with: call)
    }

    private mutating func refuseClient(of tenant: String, now: Instant) {
        notices.append(.clientRefused(tenant))
        let draw = draw()
        if case .opened(let until)? = tenants[tenant]?.governor.circuit.open(.client, draw: draw, now: now) {
            notices.append(.circuitOpened(tenant, until - now))
        }
    }

    private mutating func closeClientCircuit(of tenant: String) {
        guard tenants[tenant]?.governor.circuit.cause == .client, tenants[tenant]?.governor.circuit.close() == .closed
        else { return }
        notices.append(.circuitClosed(tenant))
    }
}
