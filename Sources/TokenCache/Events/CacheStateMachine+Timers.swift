import TokenProtocol

/// Timers.
extension CacheStateMachine {
    /// Does everything that is due: ends waits, queues refreshes, drops expired tokens, sends calls.
    ///
    /// If very much is due, as after a suspend, it does a part and asks to be called again at once.
    package mutating func timePassed(now: Instant) -> CacheActions {
        enqueueDueRefreshes(now: now)
        dropExpired(now: now)
        for _ in 0..<sliceSize {
            guard creations.forgetOld(at: now) else { break }
        }
        for _ in 0..<sliceSize {
            guard negatives.forgetDue(at: now) else { break }
        }
        for _ in 0..<sliceSize {
            guard provisioned.forgetDue(at: now) else { break }
        }
        for _ in 0..<sliceSize {
            guard let call = retries.removeMin(upTo: now) else { break }
            retry(call, now: now)
        }
        for _ in 0..<sliceSize {
            guard let timer = fleet.takeTimer(upTo: now) else { break }
            perform(timer, now: now)
        }
        endDueWaits(now: now)
        for _ in 0..<sliceSize {
            guard let tenant = tenantTimers.removeMin(upTo: now) else { break }
            tenants[tenant]?.timer = nil
            touch(tenant)
        }
        return finish(now)
    }

    /// Queues the refreshes of entries in use that have reached their refresh deadline.
    ///
    /// An idle user's token expires, after at most one refresh since its last use.
    private mutating func enqueueDueRefreshes(now: Instant) {
        for _ in 0..<sliceSize {
            guard let slot = store.takeRefresh(at: now) else { return }
            guard let entry = store[slot] else { continue }
            guard entry.life.refreshDeadline <= now else {
                // Under another policy it is due later.
                store.schedule(slot)
                continue
            }
            guard isInUse(entry, now: now) else {
                statistics.skippedIdle += 1
                continue
            }
            _ = enqueueRefresh(of: slot, now: now)
        }
    }

    /// Drops expired entries.
    ///
    /// Within its margin a token is kept, though not served, as a logout still has to revoke it.
    mutating func dropExpired(now: Instant) {
        for _ in 0..<sliceSize {
            guard let slot = store.takeExpired(at: now) else { return }
            if store.remove(slot) { statistics.evictions.expired += 1 }
        }
    }
}
