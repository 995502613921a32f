import Secrets
import TokenProtocol

@testable import TokenCache

/// The health of a tenant and of its client, as far as the ends of calls show it.
extension ModelRun {
    /// Records how a sent call ended.
    func noteEnd(of call: ModelCall, _ ending: CircuitBreaker.Ending) throws {
        let tenant = call.tenant
        tenant.underWay -= 1
        if ending == .success { isBack(tenant) }
        let wasForClient = tenant.circuit.isForClient
        let change = tenant.circuit.ended(call, ending, now: now)
        guard !tenant.isRetired else { return }
        switch change {
        case .none: break
        case .opens: try opens(tenant)
        case .closes:
            if wasForClient, ending != .success || call.key?.key.user.isClient ?? true {
                throw violated("the client's circuit was closed without proof")
            }
            try closes(tenant)
        }
    }

    /// Records a success, which ends the pauses of retries.
    private func isBack(_ tenant: ModelTenant) {
        tenant.outage += 1
        tenant.isBack = true
        for call in tenant.background where call.readiness == .no { call.readiness = .soon }
    }

    /// Returns the meaning of a failure for the circuit breaker.
    func ending(of failure: CallFailure, _ call: ModelCall) -> CircuitBreaker.Ending {
        let isOfUser = !(call.key?.key.user.isClient ?? false)
        return switch failure {
        case .denied(let upstream, _):
            upstream.status == 401 && isOfUser && call.tenant.client.isDenied ? .fault : .answer
        case .throttled, .rejected, .noMemory: .answer
        case .unavailable, .malformed: .fault
        }
    }

    func noteHold(of tenant: ModelTenant, _ failure: CallFailure) throws {
        let asked: Duration?
        let isThrottled: Bool
        switch failure {
        case .throttled(let length): (asked, isThrottled) = (length, true)
        case .unavailable(_, _, .usable(let length)): (asked, isThrottled) = (length, false)
        case .unavailable(_, _, .unusable): (asked, isThrottled) = (nil, false)
        case .unavailable(_, _, nil), .denied, .malformed, .rejected, .noMemory: return
        }
        guard !tenant.isRetired else { return }
        let length = min(asked ?? .seconds(5), .seconds(3_600))
        let present = tenant.hold.flatMap { $0.until > now ? $0 : nil }
        guard length > .zero || present != nil else { return }
        guard case .held(tenant.id.name, let told) = try takeNotice("a tenant wants to be left alone") else {
            throw violated("operators got another notice than that of a hold")
        }
        let until = now + told
        if let present, until == present.until { return try checkKept(present, now + length) }
        guard until >= now + length, until <= now + length * 1.1 + Self.tolerance, until > present?.until ?? now else {
            throw violated("a hold of \(length) is in force for \(told)")
        }
        tenant.set(.init(until: until, isThrottled: isThrottled))
    }

    /// Ends the hold of a tenant, or of all, as an operator.
    func releaseHolds(of tenant: ModelTenant?, for peer: PeerUID) throws {
        let released = begin(machine.releaseHolds(of: tenant?.id, for: Self.peer(peer), now: now))
        trace("\(peer) releases the hold of \(tenant?.id.name ?? "all"): \(released)")
        let named = (tenant.map { [$0] } ?? configured).sorted { $0.id.name < $1.id.name }
        var count = 0
        for tenant in named where !tenant.isRetired {
            guard let hold = tenant.hold, hold.until > now else { continue }
            let left = hold.until - now
            try takeRecord(of: .releaseHold(tenant: tenant.id.name, left: left), by: peer)
            try expect(.holdReleased(tenant.id.name, left), "a hold was released")
            tenant.releaseHold()
            count += 1
            tally.note(.holdReleased)
        }
        guard released == count else { throw violated("a release ended \(released) holds, not \(count)") }
        if count == 0 {
            try takeRecord(of: .noHold(tenant: tenant?.id.name), by: peer)
            tally.note(.noHoldReleased)
        }
        try finish()
    }

    private func checkKept(_ hold: ModelTenant.Hold, _ end: Instant) throws {
        if hold.until < end { throw violated("a longer hold did not replace a shorter one") }
    }

    // MARK: The circuit

    private func opens(_ tenant: ModelTenant, forClient: Bool? = nil) throws {
        let range = tenant.circuit.nextOpening
        guard case .circuitOpened(tenant.id.name, let length) = try takeNotice("a circuit has opened"),
            range.contains(length)
        else { throw violated("operators were not told that a circuit has opened for \(range)") }
        tenant.circuit.open(until: now + length, forClient: forClient)
        tenant.disturb()
        tally.note(.circuitOpened)
    }

    private func closes(_ tenant: ModelTenant) throws {
        try expect(.circuitClosed(tenant.id.name), "a circuit has closed")
        tenant.circuit.close()
        tenant.disturb()
        tally.note(.circuitClosed)
    }

    // MARK: The client

    func noteAcceptance(by tenant: ModelTenant, of key: ModelKey?) throws {
        guard !tenant.isRetired, tenant.client.accepted(key) else { return }
        try expect(.clientAccepted(tenant.id.name), "a tenant accepts the client again")
        try closeClientCircuit(of: tenant)
    }

    private func closeClientCircuit(of tenant: ModelTenant) throws {
        if tenant.circuit.isForClient, !tenant.circuit.isClosed { try closes(tenant) }
    }

    func noteDenial(of call: ModelCall, _ key: ModelKey, _ failure: CallFailure) throws {
        let tenant = call.tenant
        guard !tenant.isRetired else { return }
        guard case .denied(let upstream, secretChanged: false) = failure else { return lost(call, wasSent: true) }
        switch tenant.client.denied(key, by: call, status: upstream.status) {
        case .none: break
        case .doubtful:
            tally.note(.clientDoubted)
            try expect(.clientDoubtful(tenant.id.name, upstream), "a tenant denies all users")
        case .suspected(let probe):
            let notice = CacheNotice.clientSuspected(tenant.id.name, upstream, isProbed: probe != nil)
            try expect(notice, "a client is suspect")
            if let probe { self.probe(probe) }
        case .proven:
            tally.note(.clientProven)
            try expect(.clientDenied(tenant.id.name), "a client is denied")
            try opens(tenant, forClient: true)
        }
        if upstream.status != 401 { lost(call, wasSent: true) }
    }

    /// Handles a call that ended without a result for the client.
    ///
    /// If it was the probe, another one must follow.
    func lost(_ call: ModelCall, wasSent: Bool) {
        guard !call.tenant.isRetired, let key = call.tenant.client.lost(call, wasSent: wasSent) else { return }
        tally.note(.probeReplaced)
        probe(key)
    }

    /// Mints a key to probe the client.
    private func probe(_ key: ModelKey) {
        let call: ModelCall
        if let current = key.current {
            call = current
            call.isProbe = true
            key.tenant.requeue(call, as: .first)
        } else {
            call = ModelCall(key, .probe, for: nil)
            enqueue(call, as: .first)
        }
        key.tenant.client.probes(with: call)
    }

    /// Records what the end of a mint of a further client's own token shows about it, and about no other client.
    func noteClient(_ key: ModelKey, _ fate: ModelCall.Fate, _ failure: CallFailure?) {
        guard fate == .current, let name = key.key.user.clientName else { return }
        switch failure {
        case nil: key.tenant.refusedClients.remove(name)
        case .denied(let upstream, secretChanged: false)?
        where upstream.status == 401 || key.client?.ownScopes == key.key.scopes:
            tally.note(.clientRefused)
            key.tenant.refusedClients.insert(name)
        default: break
        }
    }

    /// Changes the secret of a further client, after which only its own denials no longer count.
    func changeSecret(of tenant: ModelTenant, client name: String) throws {
        trace("the secret of \(tenant.id.name)'s \(name) changes")
        begin(machine.secretChanged(of: ClientReference(tenant.id, name: name), now: now))
        if !tenant.isRetired {
            for key in tenant.keys where key.key.user.clientName == name && key.negative?.denial?.status == 401 {
                key.negative = nil
            }
            tenant.refusedClients.remove(name)
        }
        try finish()
    }

    /// Changes a client's secret, after which earlier denials of the client no longer count.
    func changeSecret(of tenant: ModelTenant) throws {
        trace("the secret of \(tenant.id.name) changes")
        begin(machine.secretChanged(of: ClientReference(tenant.id), now: now))
        if !tenant.isRetired {
            for key in tenant.keys where !key.key.user.isClient && key.negative?.denial?.status == 401 {
                key.negative = nil
            }
            tenant.client.secretChanged()
            try closeClientCircuit(of: tenant)
        }
        try finish()
    }
}
