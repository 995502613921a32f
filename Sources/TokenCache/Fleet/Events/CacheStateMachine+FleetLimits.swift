import TokenProtocol

/// The limits of a tenant, which the machines of a fleet share.
extension CacheStateMachine {
    /// The time by which a hold must be longer than the present one for operators to be told of it.
    private static var notedExtension: Duration { .seconds(1) }

    /// Takes the state of a tenant's limits over.
    mutating func note(_ limits: FleetLimits, of tenant: TenantID, now: Instant) {
        guard fleet.isConnected(tenant), tenants[tenant]?.isRetired == false else { return }
        // Calls that are being claimed are not in the level yet.
        tenants[tenant]?.governor.mirror(limits.level - Double(fleet[tenant].claims), now: now)
        if let hold = limits.hold { mirror(hold, of: tenant, now: now) }
        touch(tenant)
    }

    private mutating func mirror(_ hold: FleetLimits.Hold, of tenant: TenantID, now: Instant) {
        let before = tenants[tenant]?.governor.currentHold(at: now)?.until
        let held = now + min(hold.left, Governor.longestHold)
        let blocked = tenants[tenant]?.governor.blockedUntil(now)
        let delay = Governor.Delay(until: held, cause: hold.cause.delayCause)
        guard tenants[tenant]?.governor.mirror(delay, now: now) == true else { return }
        if before.map({ held - $0 > Self.notedExtension }) ?? true { noteHold(of: tenant, .tokens, now: now) }
        recheckDeadlines(tenant, .tokens, blocked, now: now)
    }

    /// Takes the state of a tenant's limits over, which also says that there is no hold any more.
    ///
    /// A state that was read before this machine's own hold was told says nothing of it.
    mutating func take(_ limits: FleetLimits, of tenant: TenantID, now: Instant) {
        note(limits, of: tenant, now: now)
        guard fleet.isConnected(tenant), limits.hold == nil, tenants[tenant]?.isRetired == false,
            fleet[tenant].ownHold == .none, let left = tenants[tenant]?.governor.releaseHold(now: now)
        else { return }
        actions.notices.append(.holdReleased(tenant.name, left))
    }

    /// Lets all machines stop calling a tenant that has asked for it, now or when the second level answers again.
    mutating func shareHold(of tenant: TenantID, _ tier: Tier, now: Instant) {
        guard tier == .tokens, fleet.isOn else { return }
        fleet[tenant].ownHold = .untold
        tellHold(of: tenant, now: now)
    }

    /// Tells the other machines of this machine's own hold, unless they know of it.
    mutating func tellHold(of tenant: TenantID, now: Instant) {
        guard fleet.isConnected(tenant), fleet[tenant].ownHold == .untold else { return }
        guard let hold = tenants[tenant]?.governor.currentHold(at: now) else {
            fleet[tenant].ownHold = .none
            return
        }
        fleet[tenant].ownHold = .told
        let cause: FleetLimits.HoldCause = hold.cause == .throttled ? .throttled : .paused
        actions.fleetOrders.append(.hold(tenant, hold.until - now, cause))
    }

    /// Reads the limits of a tenant anew, as a hold has begun or ended.
    ///
    /// The answer knows of the hold that was told before.
    mutating func readLimits(of tenant: TenantID) {
        if fleet[tenant].ownHold == .told { fleet[tenant].ownHold = .none }
        actions.fleetOrders.append(.state(tenant))
    }

    /// Divides a tenant's limits among the machines while they don't know of each other's calls.
    mutating func divideLimits(of tenant: TenantID, now: Instant) {
        guard let governor = tenants[tenant]?.governor else { return }
        let machines = fleet.isOn && !fleet.isConnected(tenant) ? fleet.machines : 1
        guard governor.machines != machines else { return }
        tenants[tenant]?.governor.divide(among: machines, now: now)
        checkDeadlines(tenant, .tokens)
        touch(tenant)
    }
}

extension FleetLimits.HoldCause {
    /// The cause as the governor knows it.
    fileprivate var delayCause: Governor.Delay.Cause { self == .throttled ? .throttled : .paused }
}
