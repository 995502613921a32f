import Secrets
import TokenProtocol

@testable import TokenCache

/// A tenant's health and its view of the client, as far as the ends of calls tell of them.
extension ModelRun {
    /// Notes how a call has ended that had been sent.
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
            if wasForClient, ending != .success || call.key == nil {
                throw violated("the client's circuit was closed without proof")
            }
            try closes(tenant)
        }
    }

    /// A call has succeeded: what is to be tried again later goes in its turn.
    private func isBack(_ tenant: ModelTenant) {
        tenant.outage += 1
        tenant.isBack = true
        for call in tenant.background where call.readiness == .no { call.readiness = .soon }
    }

    /// The meaning of a failure for the circuit.
    func ending(of failure: CallFailure, _ tenant: ModelTenant) -> CircuitBreaker.Ending {
        switch failure {
        case .denied(let upstream, _): upstream.status == 401 && tenant.client.isRefused ? .fault : .answer
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
            throw violated("operators were told something else than of a hold")
        }
        let until = now + told
        if let present, until == present.until { return try checkKept(present, now + length) }
        guard until >= now + length, until <= now + length * 1.1 + Self.tolerance, until > present?.until ?? now else {
            throw violated("a hold of \(length) is in force for \(told)")
        }
        tenant.set(.init(until: until, isThrottled: isThrottled))
    }

    private func checkKept(_ hold: ModelTenant.Hold, _ end: Instant) throws {
        if hold.until < end { throw violated("a longer hold did not take the place of a shorter one") }
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
        try expect(.clientAccepted(tenant.id.name), "a tenant takes the client again")
        try closeClientCircuit(of: tenant)
    }

    private func closeClientCircuit(of tenant: ModelTenant) throws {
        if tenant.circuit.isForClient, !tenant.circuit.isClosed { try closes(tenant) }
    }

    func noteRefusal(of call: ModelCall, _ key: ModelKey, _ failure: CallFailure) throws {
        let tenant = call.tenant
        guard !tenant.isRetired else { return }
        guard case .denied(let upstream, secretChanged: false) = failure else { return lost(call, wasSent: true) }
        switch tenant.client.refused(key, by: call, status: upstream.status) {
        case .none: break
        case .doubtful:
            tally.note(.clientDoubted)
            try expect(.clientDoubtful(tenant.id.name, upstream), "a tenant refuses everybody")
        case .suspected(let probe):
            let notice = CacheNotice.clientSuspected(tenant.id.name, upstream, isProbed: probe != nil)
            try expect(notice, "a client is suspect")
            if let probe { self.probe(probe) }
        case .proven:
            tally.note(.clientProven)
            try expect(.clientRefused(tenant.id.name), "a client is refused")
            try opens(tenant, forClient: true)
        }
        if upstream.status != 401 { lost(call, wasSent: true) }
    }

    /// A call has ended that said nothing of the client; if it was to find out about it, another must.
    func lost(_ call: ModelCall, wasSent: Bool) {
        guard !call.tenant.isRetired, let key = call.tenant.client.lost(call, wasSent: wasSent) else { return }
        tally.note(.probeReplaced)
        probe(key)
    }

    /// Has a key minted to find out about the client.
    private func probe(_ key: ModelKey) {
        let call: ModelCall
        if let current = key.current {
            call = current
            call.isProbe = true
            key.tenant.requeue(call, as: .first)
        } else {
            call = ModelCall(key, .probe, for: nil)
            plan(call, as: .first)
        }
        key.tenant.client.probes(with: call)
    }

    /// A client's secret has changed: what is known against the client no longer counts.
    func changeSecret(of tenant: ModelTenant) throws {
        trace("the secret of \(tenant.id.name) changes")
        begin(machine.secretChanged(of: tenant.id, now: now))
        if !tenant.isRetired {
            for key in tenant.keys where key.negative?.refusal?.status == 401 { key.negative = nil }
            tenant.client.secretChanged()
            try closeClientCircuit(of: tenant)
        }
        try finish()
    }
}
