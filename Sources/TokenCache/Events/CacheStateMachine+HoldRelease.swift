import TokenProtocol

/// Releases of holds by operators.
extension CacheStateMachine {
    /// Ends the hold of a tenant, or of all tenants, at an operator's request.
    ///
    /// A wrong `Retry-After` would otherwise hold all calls for up to an hour. An open circuit stays open.
    ///
    /// - Returns: The number of tenants whose hold has ended.
    package mutating func releaseHolds(of tenant: TenantID?, for peer: Peer, now: Instant) -> Outcome<Int> {
        var released = 0
        for id in tenant.map({ [$0] }) ?? configured where releaseHold(of: id, for: peer, now: now) { released += 1 }
        if released == 0 { actions.records.append(AuditRecord(peer, .noHold(tenant: tenant?.name))) }
        return finish(released, now)
    }

    /// Ends a tenant's hold, and returns false if there is none.
    private mutating func releaseHold(of tenant: TenantID, for peer: Peer, now: Instant) -> Bool {
        guard tenants[tenant]?.isRetired == false else { return false }
        let left = Tier.allCases.compactMap { tenants[tenant]?[$0].releaseHold(now: now) }.max()
        guard let left else { return false }
        actions.records.append(AuditRecord(peer, .releaseHold(tenant: tenant.name, left: left)))
        actions.notices.append(.holdReleased(tenant.name, left))
        fleet[tenant].ownHold = .none
        if fleet.isConnected(tenant) { actions.fleetOrders.append(.hold(tenant, nil, .throttled)) }
        touch(tenant)
        return true
    }
}
