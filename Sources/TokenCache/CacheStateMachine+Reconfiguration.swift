import TokenProtocol

/// A configuration that was read anew.
extension CacheStateMachine {
    /// Takes over another policy and other tenants.
    ///
    /// A tenant whose host or client changed, or which is gone, loses its tokens; the others keep theirs.
    package mutating func reconfigure(
        policy: CachePolicy,
        tenants limits: [String: TenantPolicy],
        now: Instant
    ) -> [Delivery] {
        var deliveries: [Delivery] = []
        for name in tenantNames where limits[name]?.identity != tenants[name]?.identity {
            _ = flush(tenant: name)
            if limits[name] == nil { deliveries += remove(name, now: now) }
        }
        for (name, limits) in limits { take(limits, for: name, now: now) }
        tenantNames = limits.keys.sorted()
        take(policy, now: now)
        return deliveries
    }

    /// A client's secret has changed: users who were refused with 401 may have been refused for it.
    package mutating func secretChanged(of tenant: String) {
        memories.forget { key, memory in key.user.tenant == tenant && memory.refusal?.upstream.status == 401 }
        trustClient(of: tenant)
    }

    private mutating func take(_ limits: TenantPolicy, for name: String, now: Instant) {
        guard tenants[name] != nil else {
            tenants[name] = newTenant(limits, now: now)
            return
        }
        if tenants[name]?.identity != limits.identity {
            let number = newTenantNumber()
            tenants[name]?.number = number
        }
        tenants[name]?.governor.reconfigure(limits, now: now)
        tenants[name]?.identity = limits.identity
    }

    /// Ends what is queued for a tenant that is gone.
    ///
    /// What is under way comes back and goes to those who wait for it.
    private mutating func remove(_ name: String, now: Instant) -> [Delivery] {
        var deliveries: [Delivery] = []
        for (call, flight) in flights where flight.key.user.tenant == name && flight.sent == nil {
            for waiter in flight.waiters where waiting[waiter]?.call == call {
                stopWaiting(waiter)
                deliveries.append(Delivery(waiter: waiter, reply: .error(.tenantRemoved)))
            }
            cancel(call)
        }
        for (call, revocation) in revocations where revocation.tenant == name {
            deliveries += revocationEnded(
                call,
                .failed(.unavailable("the tenant is no longer configured", pause: nil)),
                now: now
            )
        }
        tenants[name] = nil
        return deliveries
    }

    /// Lays every token's life out anew, so that the new policy applies to those that are there.
    private mutating func take(_ policy: CachePolicy, now: Instant) {
        self.policy = policy
        refreshTimes = DueTimes()
        expiryTimes = DueTimes()
        for slot in store.slots.indices {
            guard let entry = store[slot] else { continue }
            entry.life = entry.life.under(policy)
            entry.serial = newSerial()
            planTimes(of: slot, entry)
        }
        makeRoom(now: now)
    }
}
