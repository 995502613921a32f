package import TokenProtocol

/// What the passing of time brings.
extension CacheStateMachine {
    /// When something is due next; nil: nothing is, until something happens.
    package mutating func nextTime(now: Instant) -> Instant? {
        let (callers, logouts) = (waiting, logouts)
        var soonest = deadlines.soonest { callers[$0] != nil || logouts[$0] != nil }
        let present = store
        for next in [
            refreshTimes.soonest { present[$0.slot]?.serial == $0.serial },
            expiryTimes.soonest { present[$0.slot]?.serial == $0.serial },
            memories.nextEnd(),
        ] {
            if let next, next < soonest ?? next + .seconds(1) { soonest = next }
        }
        for name in tenantNames {
            let someoneWaits = tenants[name].map { $0.waiting > 0 } ?? false
            let next = tenants[name]?.governor.nextTime(now, someoneWaits: someoneWaits)
            if let next, next < soonest ?? next + .seconds(1) { soonest = next }
        }
        return soonest
    }

    /// Does what has become due: ends waits, plans refreshes, drops what has expired.
    package mutating func timePassed(now: Instant) -> [Delivery] {
        planDueRefreshes(now: now)
        dropExpired(now: now)
        memories.forgetDue(at: now)
        return endDueWaits(now: now)
    }

    /// Whether an entry is still the one that a time was planned for.
    func isCurrent(_ reference: EntryReference) -> Bool { store[reference.slot]?.serial == reference.serial }

    /// At its last chance an entry in use is refreshed; an idle user's token lapses, at most one unasked-for refresh
    /// after its last use.
    private mutating func planDueRefreshes(now: Instant) {
        while let reference = refreshTimes.takeDue(at: now) {
            guard let entry = store[reference.slot], entry.serial == reference.serial else { continue }
            guard isInUse(entry, now: now) else {
                statistics.skippedIdle += 1
                continue
            }
            _ = planRefresh(of: reference.slot, now: now)
        }
    }

    /// Drops what has ended.
    ///
    /// Within its margin a token is kept, though not served: a logout still has to revoke it.
    mutating func dropExpired(now: Instant) {
        while let reference = expiryTimes.takeDue(at: now) {
            guard isCurrent(reference) else { continue }
            store.remove(reference.slot)
            statistics.evictions.expired += 1
        }
    }

    private mutating func endDueWaits(now: Instant) -> [Delivery] {
        var deliveries: [Delivery] = []
        while let waiter = deadlines.takeDue(at: now) {
            if logouts.removeValue(forKey: waiter) != nil {
                deliveries.append(Delivery(waiter: waiter, reply: .revoked(true, upstream: false)))
            }
            guard let key = waiting[waiter].flatMap({ flights[$0.call]?.key }) else { continue }
            let takes = stopWaiting(waiter)?.takesLivingToken ?? false
            deliveries.append(fail(waiter, takesLivingToken: takes, .timedOut, key, now))
        }
        return deliveries
    }

    /// Some who waited are gone; their mints go on.
    package mutating func leave(_ waiters: some Sequence<Waiter>) {
        for waiter in waiters {
            stopWaiting(waiter)
            logouts[waiter] = nil
        }
    }
}
