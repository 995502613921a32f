import DequeModule
import TokenProtocol

/// Long work, some at a time.
extension CacheStateMachine {
    /// Begins long work; an older piece that it takes the place of ends.
    mutating func add(_ chore: Chore) {
        chores.removeAll { $0.isReplaced(by: chore) }
        chores.append(chore)
    }

    /// Does a slice of what is to be done, each piece in turn.
    mutating func workOff(now: Instant) {
        var budget = sliceSize
        while budget > 0, let chore = chores.popFirst() {
            // However little there was to do, a piece costs something.
            budget -= 1
            if let rest = work(off: chore, &budget, now: now) { chores.append(rest) }
        }
    }

    /// Does a part of a chore; what is left of it.
    private mutating func work(off chore: Chore, _ budget: inout Int, now: Instant) -> Chore? {
        switch chore {
        case .flush(let sweep): return flush(sweep, &budget, now: now)
        case .retire(let tenant, let error, let next): return retire(tenant, error, next, &budget, now: now)
        case .pace(let sweep): return pace(sweep, &budget, now: now)
        case .leave(let names, var next):
            while next < names.count {
                guard budget > 0 else { return .leave(names, next: next) }
                leave(names[next], now: now)
                next += 1
                budget -= 1
            }
            return nil
        case .applyPolicy(let next):
            return goThroughSlots(from: next, &budget) { $0.applyPolicy(to: $1) }.map { .applyPolicy(next: $0) }
        case .shrink:
            makeRoom(now: now)
            budget = 0
            return nil
        case .sweepNegatives(let tenant, let serial, var next):
            guard negatives.sweep(from: &next, &budget) else {
                return .sweepNegatives(tenant, upTo: serial, next: next)
            }
            negatives.endForgettingUnauthorized(of: tenant, upTo: serial)
            return nil
        case .endPauses(let tenant):
            touch(tenant)
            while budget > 0 {
                guard tenants[tenant]?.governor.endAnyPause() == true else { return nil }
                budget -= 1
            }
            return .endPauses(tenant)
        case .persist(let next):
            guard !persistenceIsFull else { return nil }
            return goThroughSlots(from: next, &budget) { $0.store.persist($1) }.map { .persist(next: $0) }
        case .persistUses(let next):
            return goThroughSlots(from: next, &budget) { $0.store.persistUse($1) }.map { .persistUses(next: $0) }
        }
    }

    /// Does something with each slot; nil: that was the last one.
    private mutating func goThroughSlots(
        from start: Int,
        _ budget: inout Int,
        _ body: (inout CacheStateMachine, Int) -> Void
    ) -> Int? {
        let end = min(store.slots.count, start + budget)
        for slot in start..<max(start, end) { body(&self, slot) }
        budget -= max(0, end - start)
        return end < store.slots.count ? end : nil
    }

    // MARK: Flushes

    private mutating func flush(_ old: FlushSweep, _ budget: inout Int, now: Instant) -> Chore? {
        var sweep = old
        guard store.sweep(sweep.tenant, &budget) else { return .flush(sweep) }
        while sweep.nextCall < calls.indices.upperBound {
            guard budget > 0 else { return .flush(sweep) }
            if let call = calls.call(at: sweep.nextCall), call.tenant == sweep.tenant, call.id.serial <= sweep.serial,
                call.mint?.fate == .current
            {
                supersede(call.id, now: now)
            }
            sweep.nextCall += 1
            budget -= 1
        }
        guard negatives.sweep(from: &sweep.nextNegative, &budget) else { return .flush(sweep) }
        store.endFlush(of: sweep.tenant)
        negatives.endFlush(of: sweep.tenant, upTo: sweep.serial)
        return nil
    }

    // MARK: Tenants that are gone

    private mutating func retire(
        _ tenant: TenantID,
        _ error: ErrorReply,
        _ start: Int,
        _ budget: inout Int,
        now: Instant
    ) -> Chore? {
        var next = start
        while next < calls.indices.upperBound, budget > 0 {
            if let call = calls.call(at: next), call.tenant == tenant, call.sent == nil {
                end(call.id, .retired(error), now: now)
            }
            next += 1
            budget -= 1
        }
        return next < calls.indices.upperBound ? .retire(tenant, error, next: next) : nil
    }

    // MARK: Pacing

    private mutating func pace(_ old: PacingSweep, _ budget: inout Int, now: Instant) -> Chore? {
        var sweep = old
        while budget > 0 {
            guard let governor = tenants[sweep.tenant]?.governor, tenants[sweep.tenant]?.isRetired == false,
                let id = sweep.first.first ?? governor.next(&sweep.walk)
            else { return nil }
            budget -= 1
            var left = sweep.left ?? callerCount(of: id)
            let start = governor.delay(behind: sweep.rank, now: now)?.until ?? now
            while left > 0 {
                guard budget > 0 else {
                    sweep.left = left
                    return .pace(sweep)
                }
                paceNextCaller(of: id, start, now: now)
                left -= 1
                budget -= 1
            }
            sweep.left = nil
            // Without callers a call has left the queue that is gone through, unless it goes before all others.
            let stays = callerCount(of: id) > 0
            let goesFirst = !sweep.first.isEmpty && calls[id]?.ticket != nil
            if stays || goesFirst { sweep.rank += 1 }
            if !sweep.first.isEmpty {
                sweep.first.removeFirst()
            } else if stays {
                tenants[sweep.tenant]?.governor.pass(&sweep.walk)
            }
        }
        return .pace(sweep)
    }

    /// How many wait for a call that is queued.
    private func callerCount(of id: CallID) -> Int {
        guard let call = calls[id], call.sent == nil else { return 0 }
        guard let logout = call.revocation?.logout else { return call.waiters.count }
        return waiters[logout] == nil ? 0 : 1
    }

    /// Looks at the next who waits for a call: ends the wait if it is in vain, or else lets the others come first.
    private mutating func paceNextCaller(of id: CallID, _ start: Instant, now: Instant) {
        guard let call = calls[id], let caller = call.revocation?.logout ?? waiters.first(of: call.waiters),
            let member = waiters[caller]
        else { return }
        guard member.deadline > start else {
            let cause = tenants[call.tenant]?.governor.block(now)?.cause ?? .rate
            return endWait(caller, .error(.paced(cause, until: start, now: now)), cancelsCall: true, now: now)
        }
        var list = call.waiters
        waiters.rotate(&list)
        calls.update(id) { $0.waiters = list }
    }
}
