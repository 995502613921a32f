import TokenProtocol

/// Entries that a lost event may concern, which are looked up before they are served again.
extension CacheStateMachine {
    /// Makes a tenant's entries suspect, as events up to a fence were lost.
    mutating func eventsLost(of tenant: TenantID, upTo fence: FleetFence, now: Instant) {
        store.suspect(tenant, upTo: fence)
        // By then the last one of them has expired.
        let end = now + TokenLife.maxLifetime
        fleet[tenant].endOfSuspects = end
        _ = fleet.setTimer(.suspects(tenant), at: end)
    }

    /// Forgets a tenant's suspects, unless more events were lost since.
    mutating func forgetSuspects(of tenant: TenantID, now: Instant) {
        if fleet[tenant].endOfSuspects.map({ $0 <= now }) ?? true { store.trust(tenant) }
    }

    /// Ends the check of a suspect entry with its own token, as the second level doesn't answer.
    ///
    /// - Returns: False if the call is no such check, or the entry is gone.
    mutating func keep(_ call: Call, now: Instant) -> Bool {
        guard let mint = call.mint, mint.fleet.verifies, let entry = store.find(mint.key).flatMap({ store[$0] }),
            entry.life.isServable(at: now)
        else { return false }
        end(call.id, .kept(store.token(of: entry.slot), entry.life), now: now)
        return true
    }
}
