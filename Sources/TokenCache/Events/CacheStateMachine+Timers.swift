import TokenProtocol

/// Timers.
extension CacheStateMachine {
    /// Does everything that is due: ends waits, queues refreshes, drops expired tokens, sends calls.
    ///
    /// If very much is due, as after a suspend, it does a part and asks to be called again at once.
    package mutating func timePassed(now: Instant) -> CacheActions {
        var budget = sliceSize
        takeDue(&budget, now: now)
        repeatStep(&budget) { $0.creations.forgetOld(at: now) ? StepCost.look : nil }
        repeatStep(&budget) { $0.negatives.forgetDue(at: now) ? StepCost.look : nil }
        repeatStep(&budget) { $0.provisioned.forgetDue(at: now) ? StepCost.look : nil }
        repeatStep(&budget) { machine in
            guard let call = machine.retries.removeMin(upTo: now) else { return nil }
            machine.retry(call, now: now)
            return StepCost.call
        }
        repeatStep(&budget) { machine in
            guard let timer = machine.fleet.takeTimer(upTo: now) else { return nil }
            machine.perform(timer, now: now)
            return StepCost.call
        }
        endDueWaits(&budget, now: now)
        repeatStep(&budget) { machine in
            guard let tenant = machine.tenantTimers.removeMin(upTo: now) else { return nil }
            machine.tenants[tenant]?.timer = nil
            machine.touch(tenant)
            return StepCost.look
        }
        return finish(now)
    }

    /// Queues the refresh of an entry in use that has reached its refresh deadline.
    ///
    /// An idle user's token expires, after at most one refresh since its last use.
    ///
    /// - Returns: The cost of the step, or nil if no entry has reached its deadline.
    private mutating func takeDueRefresh(now: Instant) -> Int? {
        guard let slot = store.takeRefresh(at: now) else { return nil }
        guard let entry = store[slot] else { return StepCost.look }
        guard entry.life.refreshDeadline <= now else {
            // Under another policy it is due later.
            store.schedule(slot)
            return StepCost.look
        }
        guard isInUse(entry, now: now) else {
            statistics.skippedIdle += 1
            return StepCost.look
        }
        return enqueueRefresh(of: slot, now: now) ? StepCost.call : StepCost.look
    }

    /// Queues the refreshes that are due, and then drops expired entries.
    ///
    /// Within its margin a token is kept, though not served, as a logout still has to revoke it.
    mutating func takeDue(_ budget: inout Int, now: Instant) {
        // An entry's expiry is looked for only after its refresh.
        repeatStep(&budget) { $0.takeDueRefresh(now: now) }
        repeatStep(&budget) { machine in
            guard let slot = machine.store.takeExpired(at: now) else { return nil }
            if machine.store.remove(slot) { machine.statistics.evictions.expired += 1 }
            return StepCost.removal
        }
    }
}
