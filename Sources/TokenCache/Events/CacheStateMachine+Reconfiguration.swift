import TokenProtocol

/// Applying another configuration.
extension CacheStateMachine {
    /// Applies another policy and other tenants.
    ///
    /// A tenant that is no longer configured is retired: its tokens and queued calls are dropped, and the tokens of
    /// calls under way go to their waiters and are not cached. A tenant with another host or client has another
    /// identity, so its old identity is retired. A further client that is gone or has another id loses its tokens.
    package mutating func reconfigure(
        policy: CachePolicy,
        tenants limits: [TenantID: TenantPolicy],
        now: Instant
    ) -> CacheActions {
        // Most reloads have the same tenants. To sort a thousand names takes most of a millisecond.
        if limits.count != configured.count || configured.contains(where: { limits[$0] == nil }) {
            configure(limits.keys)
        }
        for tenant in configured {
            if let limits = limits[tenant] { take(limits, for: tenant, now: now) }
        }
        take(policy, now: now)
        return finish(now)
    }

    private mutating func configure(_ present: some Collection<TenantID>) {
        let (ids, names) = (Set(present), Set(present.map(\.name)))
        for tenant in configured where !ids.contains(tenant) {
            retire(tenant, names.contains(tenant.name) ? .tenantChanged : .tenantRemoved)
        }
        configured = present.sorted { $0.name < $1.name }
    }

    private mutating func retire(_ tenant: TenantID, _ error: ErrorReply) {
        tenants[tenant]?.isRetired = true
        tenants[tenant]?.round = nil
        _ = flush(tenant)
        add(.retire(tenant, error, next: 0))
        touch(tenant)
    }

    private mutating func take(_ limits: TenantPolicy, for tenant: TenantID, now: Instant) {
        guard let old = tenants[tenant]?.governor.limits else {
            tenants[tenant] = TenantState(limits, now: now)
            divideLimits(of: tenant, now: now)
            return
        }
        // Most of a thousand tenants stay as they are.
        guard limits != old else { return }
        tenants[tenant]?.governor.reconfigure(limits, now: now)
        tenants[tenant]?.api.reconfigure(limits.ofAPI, now: now)
        retireClients(of: tenant, old.clients, limits.clients, now: now)
        touch(tenant)
        forgetAPIRefusals(of: tenant, now: now)
        // With a lower rate some callers may wait in vain.
        for tier in Tier.allCases { checkDeadlines(tenant, tier) }
        guard limits.provisioning != old.provisioning else { return }
        forgetProvisions(of: tenant)
    }

    private mutating func take(_ policy: CachePolicy, now: Instant) {
        let old = self.policy
        self.policy = policy
        if !policy.hasSameLives(as: old) {
            store.apply(policy)
            add(.applyPolicy(next: 0))
        }
        enforceEntryLimit(now: now)
    }
}
