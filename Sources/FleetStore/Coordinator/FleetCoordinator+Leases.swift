import FleetProtocol
import TokenCache

/// The leases of this machine's mints, for which other machines wait until they are given back or end.
extension FleetCoordinator {
    /// Takes note of what an answer says of a lease.
    func note(_ outcome: EngineAnswer.Outcome, of order: RunningOrder) {
        switch order.operation.order {
        case .look(_, let look):
            guard case .go = outcome, let claim = look.claim else { return }
            tenants[order.tenant]?.leases.take(claim.nonce, look.key)
        case .store(_, let lease, _), .release(_, let lease, _): tenants[order.tenant]?.leases.giveBack(lease.nonce)
        case .pay, .renew, .drop, .claimRevocation, .hold, .state: break
        }
    }

    /// Keeps the lease of an order that should have given it back and has failed.
    ///
    /// The engine may have done what it was asked: then it doesn't find the lease any more.
    func keepLease(of order: FleetOrder) {
        switch order {
        case .store(let key, let lease, _), .release(let key, let lease, _):
            guard let tenant = tenants[order.tenant] else { return }
            let end = now + tenant.translator.tenant.lease
            tenants[order.tenant]?.leases.fail(HeldLeases.Late(key: key, lease: lease, end: end))
        case .look, .pay, .renew, .drop, .claimRevocation, .hold, .state: break
        }
    }

    /// Gives leases back that couldn't be given back before.
    func giveLateLeasesBack(of id: TenantID) {
        guard let late = tenants[id]?.leases.takeLate(at: now), let address = tenants[id]?.node else { return }
        for late in late {
            let run = ScriptRun(
                until: now + callTime,
                call: { [weak self] epoch, now in
                    self?.tenants[id]?.translator.call(.release(late.key, late.lease, nil), epoch: epoch, now: now)
                },
                { [weak self] result in if case .failure = result { self?.tenants[id]?.leases.fail(late) } }
            )
            self.run(run, at: address)
        }
    }

    /// Gives a tenant's leases back whose mints this machine will not end there.
    ///
    /// - Parameter answered: Called once for each call that was sent, when it has ended.
    /// - Returns: The number of calls.
    @discardableResult
    func giveAllLeasesBack(of id: TenantID, _ answered: @escaping () -> Void = {}) -> Int {
        guard let tenant = tenants[id], let all = tenants[id]?.leases.takeAll(at: now),
            let session = tenant.node.flatMap({ nodes[$0]?.readySession }), let epoch = session.epoch
        else { return 0 }
        let calls = all.compactMap { tenant.translator.call(.release($0.key, $0.lease, nil), epoch: epoch, now: now) }
        for call in calls { session.send(call.loadingCommand.encoded) { _ in answered() } }
        return calls.count
    }
}
