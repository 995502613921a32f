import TokenProtocol

/// A configuration that was read anew.
extension CacheStateMachine {
    /// Takes over another policy and other tenants.
    ///
    /// A tenant that isn't among them any more is retired with all that it had: its tokens and what was queued for it are
    /// gone, and what is under way goes to those who wait for it, and into no cache. One whose host or client has changed
    /// has another identity, so that is what becomes of the old one.
    package mutating func reconfigure(
        policy: CachePolicy,
        tenants limits: [TenantID: TenantPolicy],
        now: Instant
    ) -> CacheActions {
        let names = Set(limits.keys.map(\.name))
        for tenant in configured where limits[tenant] == nil {
            retire(tenant, names.contains(tenant.name) ? .tenantChanged : .tenantRemoved)
        }
        configured = limits.keys.sorted { $0.name < $1.name }
        for tenant in configured {
            if let limits = limits[tenant] { take(limits, for: tenant, now: now) }
        }
        take(policy, now: now)
        return finish(now)
    }

    private mutating func retire(_ tenant: TenantID, _ error: ErrorReply) {
        tenants[tenant]?.isRetired = true
        _ = flush(tenant)
        add(.retire(tenant, error, next: 0))
        touch(tenant)
    }

    private mutating func take(_ limits: TenantPolicy, for tenant: TenantID, now: Instant) {
        guard let governor = tenants[tenant]?.governor else {
            tenants[tenant] = TenantState(identity: limits.identity, governor: Governor(limits, now: now))
            return
        }
        tenants[tenant]?.governor.reconfigure(limits, now: now)
        touch(tenant)
        // With a lower rate some may wait in vain now.
        if limits != governor.limits, let governor = tenants[tenant]?.governor {
            add(.pace(PacingSweep(tenant, governor)))
        }
    }

    private mutating func take(_ policy: CachePolicy, now: Instant) {
        let old = self.policy
        self.policy = policy
        if !policy.hasSameLives(as: old) {
            store.policyNumber += 1
            add(.applyPolicy(next: 0))
        }
        nextUses = nextUses.map { min($0, now + usesInterval) }
        makeRoom(now: now)
    }
}
