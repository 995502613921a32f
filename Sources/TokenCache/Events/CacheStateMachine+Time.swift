import TokenProtocol

/// What the passing of time brings.
extension CacheStateMachine {
    /// Does what has become due: ends waits, plans refreshes, drops what has expired, sends calls.
    ///
    /// Of what is due in masses, as after a suspend, it does some, and asks to be called again at once.
    package mutating func timePassed(now: Instant) -> CacheActions {
        planDueRefreshes(now: now)
        dropExpired(now: now)
        for _ in 0..<sliceSize {
            guard negatives.forgetDue(at: now) else { break }
        }
        endDueWaits(now: now)
        for _ in 0..<sliceSize {
            guard let tenant = tenantTimers.removeMin(upTo: now) else { break }
            tenants[tenant]?.timer = nil
            touch(tenant)
        }
        if let time = nextUses, time <= now {
            nextUses = now + usesInterval
            add(.persistUses(next: 0))
        }
        return finish(now)
    }

    /// At its refresh deadline an entry in use is refreshed; an idle user's token lapses, at most one unasked-for refresh
    /// after its last use.
    private mutating func planDueRefreshes(now: Instant) {
        for _ in 0..<sliceSize {
            guard let slot = store.takeRefresh(at: now) else { return }
            applyPolicy(to: slot)
            // Under another policy it may be due later: then it has a new timer.
            guard let entry = store[slot], entry.refreshTimer == nil else { continue }
            guard isInUse(entry, now: now) else {
                statistics.skippedIdle += 1
                continue
            }
            _ = planRefresh(of: slot, now: now)
        }
    }

    /// Drops what has ended.
    ///
    /// Within its margin a token is kept, though not served: a logout still has to revoke it.
    mutating func dropExpired(now: Instant) {
        for _ in 0..<sliceSize {
            guard let slot = store.takeExpired(at: now) else { return }
            if store.remove(slot) != nil { statistics.evictions.expired += 1 }
        }
    }
}
