import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// Reloads: tenants are added, removed, changed and restored, as are limits and the policy.
extension ModelRun {
    func reload() throws {
        var limits: [String: TenantPolicy] = [:]
        for name in Self.names {
            let present = configured.first { $0.id.name == name }?.limits
            // One in eight is removed. A changed host may be one that there was before.
            if random.once(in: 8) { continue }
            let number = random.once(in: 4) ? random.below(3) : present.map(number) ?? 0
            limits[name] = Self.limits(of: name, number: number, &random)
            if let present, present.identity == limits[name]?.identity, random.once(in: 2) { limits[name] = present }
        }
        if limits.isEmpty, let name = Self.names.first { limits[name] = Self.limits(of: name, number: 0, &random) }
        var policy = policy
        if random.once(in: 2) { Self.vary(&policy, &random) }
        try reload(policy, limits)
    }

    /// Makes callers and a logout wait for a tenant, and then lowers its limits.
    func reduceLimits() throws {
        let tenant = random.pick(configured)
        for _ in 0..<(4 + random.below(10)) {
            let timeout = random.pick([Duration.seconds(5), .seconds(10), .seconds(30), .seconds(300)])
            let peer = Self.peer(random.pick(Self.peers))
            try ask(random.pick(tenant.keys), RequestOptions(timeout: timeout, peer: peer))
        }
        if let key = entries.first(where: { $0.tenant === tenant }) {
            try logOut(key.key.user, scopes: nil, for: random.pick(Self.peers))
        }
        var limits = Dictionary(uniqueKeysWithValues: configured.map { ($0.id.name, $0.limits) })
        limits[tenant.id.name]?.ratePerMinute = 6
        limits[tenant.id.name]?.burst = random.pick([1, 2])
        try reload(policy, limits)
        if random.once(in: 2) { try letTimePass() }
        if let waiter = waiters.values.min(by: { $0.name.ticket < $1.name.ticket }), let key = waiter.key {
            try logOut(key.key.user, scopes: nil, for: random.pick(Self.peers))
        }
    }

    private func number(of limits: TenantPolicy) -> Int {
        Int(limits.identity.host.filter(\.isNumber)) ?? 0
    }

    private func reload(_ policy: CachePolicy, _ limits: [String: TenantPolicy]) throws {
        let identities = registry.identify(limits.mapValues(\.identity))
        try check(identities, limits)
        var byID: [TenantID: TenantPolicy] = [:]
        for (name, id) in identities { byID[id] = limits[name] }
        trace("reloads: \(byID.values.map { "\($0.identity.host) \($0.ratePerMinute) \($0.burst)" }.sorted())")
        begin(machine.reconfigure(policy: policy, tenants: byID, now: now))
        for tenant in configured where byID[tenant.id] == nil {
            retire(tenant, as: limits[tenant.id.name] == nil ? .unknownTenant : .unavailable)
        }
        for id in identities.values.sorted(by: { $0.name < $1.name }) {
            guard let limits = byID[id] else { continue }
            if let tenant = tenants.first(where: { $0.id == id }) {
                let before = tenant.limits.clients
                tenant.reconfigure(limits, now: now)
                for (name, client) in before where limits.clients[name]?.clientID != client.clientID {
                    let isGone = limits.clients[name] == nil
                    let changed = ModelError(code: .unavailable, wait: .seconds(1))
                    retire(name, of: tenant, as: isGone ? ModelError(code: .invalidRequest) : changed)
                }
            } else {
                tenants.append(ModelTenant(id, limits, now: now))
            }
        }
        takePolicy(policy)
        noteKeys()
        try finish()
    }

    /// Checks that a tenant keeps its identity while its host and client stay, and that no identity is reused.
    private func check(_ identities: [String: TenantID], _ limits: [String: TenantPolicy]) throws {
        guard Set(identities.keys) == Set(limits.keys) else { throw violated("a reload identified other tenants") }
        for (name, id) in identities {
            let present = configured.first { $0.id.name == name }
            if let present, present.limits.identity == limits[name]?.identity {
                guard present.id == id else { throw violated("an unchanged tenant has another identity") }
            } else if (tenants + graveyard).contains(where: { $0.id == id }) {
                throw violated("a tenant has the identity of a removed one")
            }
        }
    }

    /// Retires a tenant with its tokens, its queued calls and their waiters.
    ///
    /// Calls under way go on.
    private func retire(_ tenant: ModelTenant, as removalError: ErrorReply.Code) {
        flush(tenant)
        tenant.isRetired = true
        tenant.round = nil
        for call in calls where call.tenant === tenant && !call.isSent {
            for waiter in call.waiters { waiter.removalError = removalError }
        }
    }

    private func takePolicy(_ policy: CachePolicy) {
        let old = self.policy
        self.policy = policy
        let isSame =
            (old.ahead, old.jitter, old.refreshDeadline, old.minTTL)
            == (policy.ahead, policy.jitter, policy.refreshDeadline, policy.minTTL)
        if !isSame {
            for key in entries { key.entry?.layOut(policy) }
        }
    }
}
