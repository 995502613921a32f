import TokenProtocol

/// The connection to the second level, and news of the other machines.
extension CacheStateMachine {
    /// Begins to use the second level, or ends that if the policy is nil.
    ///
    /// Until it answers for a tenant, the tenant's limits are divided among the machines.
    package mutating func setFleet(_ policy: FleetPolicy?, now: Instant) -> CacheActions {
        if let policy {
            fleet.begin(policy)
        } else {
            fleet.end()
            for tenant in configured { disconnected(tenant, now: now) }
        }
        for tenant in configured { divideLimits(of: tenant, now: now) }
        return finish(now)
    }

    /// Takes news of the other machines or of the connection to the second level.
    package mutating func fleetHappened(_ event: FleetEvent, now: Instant) -> CacheActions {
        guard fleet.isOn else { return finish(now) }
        switch event {
        case .dropped(let drop, let fence): dropped(drop, fence, now: now)
        case .changed(let key): changed(key)
        case .holdChanged(let tenant): readLimits(of: tenant)
        case .limits(let tenant, let limits): take(limits, of: tenant, now: now)
        case .eventsLost(let tenant, let fence): eventsLost(of: tenant, upTo: fence, now: now)
        case .emptied(let tenant):
            fleet[tenant].drops.emptied()
            repeatDrops(of: tenant)
        case .connected(let tenant, let epoch): connected(tenant, epoch, now: now)
        case .disconnected(let tenant): disconnected(tenant, now: now)
        case .machines(let count):
            fleet.count(count)
            for tenant in configured { divideLimits(of: tenant, now: now) }
        }
        return finish(now)
    }

    private mutating func connected(_ tenant: TenantID, _ epoch: String, now: Instant) {
        guard let state = tenants[tenant], !state.isRetired else { return }
        if !fleet.isConnected(tenant) { payLate(at: tenant, state.governor, now: now) }
        fleet[tenant].connect(epoch, now: now)
        divideLimits(of: tenant, now: now)
        tellHold(of: tenant, now: now)
        fleet[tenant].drops.connected()
        repeatDrops(of: tenant)
        // Behind the drops, which may concern what is stored.
        actions.fleetOrders += fleet[tenant].takeKept(now: now)
        add(.lookUp(tenant, next: 0))
        touch(tenant)
    }

    /// Pays for the last calls that this machine has sent while the second level was away, as its bucket is full by now.
    private mutating func payLate(at tenant: TenantID, _ governor: Governor, now: Instant) {
        for _ in 0..<fleet[tenant].unpaid.take(perSecond: governor.bucket.perSecond, now: now) {
            actions.fleetOrders.append(.pay(newClaim(), tenant, reserve: 0))
        }
    }

    /// Sends a call for which the second level can't be asked.
    mutating func sendUnpaid(_ call: Call, now: Instant) {
        if fleet.isOn, call.tier == .tokens, let governor = tenants[call.tenant]?.governor {
            fleet[call.tenant].unpaid.add(perSecond: governor.bucket.perSecond, now: now)
        }
        send(call, now: now)
    }

    private mutating func disconnected(_ tenant: TenantID, now: Instant) {
        guard tenants[tenant] != nil, fleet[tenant].disconnect(now: now) else { return }
        divideLimits(of: tenant, now: now)
        add(.endYields(tenant, next: 0))
        touch(tenant)
    }

    /// Looks a mint up that waits, as another machine has stored the token or given up.
    private mutating func changed(_ key: TokenKey) {
        guard let id = currentCall(of: key) else { return }
        if fleet.isLookedUp(id) { fleet.outdate(id) } else { peek(id) }
    }

    // MARK: Timers

    /// Does what a timer was set for.
    mutating func perform(_ timer: FleetTimer, now: Instant) {
        switch timer {
        case .endOfYield(let id):
            queueAgain(id, as: nil, looksUp: true, now: now)
        case .renewal(let id): renew(id, now: now)
        case .drops(let tenant):
            fleet[tenant].repeatsDrops = false
            repeatDrops(of: tenant)
        case .claim(let id): claimLeftToken(id, now: now)
        case .suspects(let tenant): forgetSuspects(of: tenant, now: now)
        }
    }
}
