import TokenProtocol

/// The leases of mints, which keep other machines from minting the same token.
extension CacheStateMachine {
    /// Notes the lease that a look has taken, or may have taken.
    mutating func lend(_ call: Call, _ look: FleetLookUp, _ fence: FleetFence?, now: Instant) {
        guard case .claim(let nonce) = look.purpose else { return }
        let renewal = fence == nil ? nil : fleet.setTimer(.renewal(call.id), at: now + renewalPause(of: call.tenant))
        if let fence { fleet[call.tenant].note(fence) }
        calls.update(call.id) {
            $0.mint?.fleet.lease = FleetLease(nonce: nonce, fence: fence)
            $0.mint?.fleet.renewal = renewal
        }
    }

    /// The time between two extensions of a lease, a third of its length.
    private func renewalPause(of tenant: TenantID) -> Duration {
        (tenants[tenant]?.governor.limits.leaseLength ?? .seconds(1)) / 3
    }

    /// Extends the lease of a mint that takes long.
    mutating func renew(_ id: CallID, now: Instant) {
        guard let call = calls[id], let mint = call.mint, let lease = mint.fleet.lease else { return }
        let renewal = fleet.setTimer(.renewal(id), at: now + renewalPause(of: call.tenant))
        calls.update(id) { $0.mint?.fleet.renewal = renewal }
        if fleet.isConnected(call.tenant) { actions.fleetOrders.append(.renew(mint.key, lease)) }
    }

    /// Gives the lease of a mint back that has ended, with what came of it.
    mutating func endLease(of call: Call, _ mint: Mint, _ fate: Mint.Fate, _ reason: CallEnd, now: Instant) {
        guard let lease = mint.fleet.lease else { return }
        if let renewal = mint.fleet.renewal { fleet.removeTimer(renewal) }
        guard fleet.isOn else { return }
        if case .minted(let minted) = reason, fate == .current, let fence = lease.fence {
            let life = minted.life
            let token = FleetToken(token: minted.token, lifetime: life.lifetime, expiry: life.expiry, fence: fence)
            giveLeaseBack(.store(mint.key, lease, token), call.tenant, now: now)
        } else {
            let refusal = fate == .current ? refusal(of: call, mint.key, reason, now: now) : nil
            giveLeaseBack(.release(mint.key, lease, refusal), call.tenant, now: now)
        }
    }

    /// Gives a lease back now, or when the second level answers again before its end.
    private mutating func giveLeaseBack(_ order: FleetOrder, _ tenant: TenantID, now: Instant) {
        guard !fleet.isConnected(tenant) else { return actions.fleetOrders.append(order) }
        let end = now + (tenants[tenant]?.governor.limits.leaseLength ?? .zero)
        fleet[tenant].keep(order, until: end, now: now)
    }

    /// Returns the denial that other machines are told of, or nil if there is none.
    ///
    /// A denial with 401 may be about this machine's secret. It is told only if nothing speaks for that.
    private func refusal(of call: Call, _ key: TokenKey, _ reason: CallEnd, now: Instant) -> FleetRefusal? {
        guard case .failed(.denied(let upstream, secretChanged: false)) = reason,
            upstream.status != 401 || tenants[call.tenant]?.client.state == .trusted,
            let denial = negatives[key]?.denial, denial.until > now
        else { return nil }
        return FleetRefusal(upstream, left: denial.until - now)
    }

    /// Ends a mint with a denial of which another machine has told.
    mutating func refused(_ call: Call, _ mint: Mint, _ fate: Mint.Fate, _ refusal: FleetRefusal, now: Instant) {
        if fate == .current {
            changeNegative(mint.key, now: now) { $0.deny(refusal.upstream, until: now + refusal.left, now: now) }
        }
        complete(call, .error(.denied(refusal.upstream, retryAfter: refusal.left)))
    }
}
