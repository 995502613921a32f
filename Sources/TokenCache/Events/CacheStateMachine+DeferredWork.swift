import DequeModule
import TokenProtocol

/// Deferred work, in slices.
extension CacheStateMachine {
    /// Adds deferred work, which replaces an older piece for the same purpose.
    mutating func add(_ work: DeferredWork) {
        // A flush of a thousand tenants adds as many pieces, so each is searched for only if it is there.
        if let purpose = work.purpose, !deferredPurposes.insert(purpose).inserted {
            deferredWork.removeAll { $0.purpose == purpose }
        }
        deferredWork.append(work)
    }

    /// Takes the next piece of deferred work.
    private mutating func takeDeferredWork() -> DeferredWork? {
        let work = deferredWork.popFirst()
        if let purpose = work?.purpose { deferredPurposes.remove(purpose) }
        return work
    }

    /// Does a slice of the deferred work, each piece in turn.
    mutating func performDeferredWork(now: Instant) {
        var budget = sliceSize
        while budget > 0, let work = takeDeferredWork() {
            // Each piece has a minimum cost.
            budget -= StepCost.look
            guard let rest = perform(work, &budget, now: now) else { continue }
            if let purpose = rest.purpose { deferredPurposes.insert(purpose) }
            deferredWork.append(rest)
        }
    }

    /// Does a part of a piece of work, and returns the rest of it.
    private mutating func perform(_ work: DeferredWork, _ budget: inout Int, now: Instant) -> DeferredWork? {
        switch work {
        case .flush(let sweep): return flush(sweep, &budget, now: now)
        case .retire(let tenant, let error, let next): return retire(tenant, error, next, &budget, now: now)
        case .checkDeadlines(let check): return checkDeadlines(check, &budget, now: now)
        case .cancelWaits(let names, let next): return cancelWaits(of: names, from: next, &budget, now: now)
        case .applyPolicy(let next):
            return goThroughSlots(from: next, &budget) { $0.store.schedule($1) }.map { .applyPolicy(next: $0) }
        case .enforceEntryLimit:
            enforceEntryLimit(now: now)
            budget = 0
            return nil
        case .sweepNegatives(let tenant, let serial, var next):
            guard negatives.sweep(from: &next, &budget) else {
                return .sweepNegatives(tenant, upTo: serial, next: next)
            }
            negatives.endForgettingUnauthorized(of: tenant, upTo: serial)
            return nil
        case .sweepProvisions(let tenant, let serial, let job, let user):
            return sweepProvisions(tenant, upTo: serial, nextJob: job, nextUser: user, &budget)
        case .endPauses(let tenant):
            touch(tenant)
            while budget > 0 {
                guard tenants[tenant]?.governor.endAnyPause() == true else { return nil }
                budget -= 1
            }
            return .endPauses(tenant)
        case .feedRound(let tenant): return feedRound(of: tenant, &budget, now: now)
        case .restore: return restore(&budget, now: now)
        case .endYields(let tenant, let next): return endYields(of: tenant, from: next, &budget, now: now)
        case .lookUp(let tenant, let next): return lookUpCalls(of: tenant, from: next, &budget)
        case .dropEntries(let tenant, let fence, let next):
            return dropEntries(of: tenant, upTo: fence, from: next, &budget, now: now)
        }
    }

    private mutating func cancelWaits(
        of names: [Waiter],
        from start: Int,
        _ budget: inout Int,
        now: Instant
    ) -> DeferredWork? {
        let end = min(names.count, start + max(1, budget / StepCost.call))
        for name in names[start..<end] { cancelWait(of: name, now: now) }
        budget -= (end - start) * StepCost.call
        return end < names.count ? .cancelWaits(names, next: end) : nil
    }

    /// Performs an action for each slot of a slice.
    ///
    /// Returns the next slot, or nil after the last one.
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

    private mutating func flush(_ old: FlushSweep, _ budget: inout Int, now: Instant) -> DeferredWork? {
        var sweep = old
        guard store.sweep(sweep.tenant, &budget) else { return .flush(sweep) }
        while sweep.nextCall < calls.indices.upperBound {
            guard budget > 0 else { return .flush(sweep) }
            if let call = calls.call(at: sweep.nextCall), call.tenant == sweep.tenant, call.id.serial <= sweep.serial,
                call.mint?.fate == .current
            {
                supersede(call.id, now: now)
                budget -= StepCost.call
            }
            sweep.nextCall += 1
            budget -= StepCost.look
        }
        guard negatives.sweep(from: &sweep.nextNegative, &budget) else { return .flush(sweep) }
        store.endFlush(of: sweep.tenant)
        negatives.endFlush(of: sweep.tenant, upTo: sweep.serial)
        return nil
    }

    // MARK: Retired tenants

    private mutating func retire(
        _ tenant: TenantID,
        _ error: ErrorReply,
        _ start: Int,
        _ budget: inout Int,
        now: Instant
    ) -> DeferredWork? {
        var next = start
        while next < calls.indices.upperBound, budget > 0 {
            if let call = calls.call(at: next), call.tenant == tenant, call.sent == nil {
                end(call.id, .retired(error), now: now)
                budget -= StepCost.call
            }
            next += 1
            budget -= StepCost.look
        }
        return next < calls.indices.upperBound ? .retire(tenant, error, next: next) : nil
    }

    // MARK: Deadlines

    private mutating func checkDeadlines(_ old: DeadlineCheck, _ budget: inout Int, now: Instant) -> DeferredWork? {
        var check = old
        while budget > 0 {
            guard let tenant = tenants[check.tenant], !tenant.isRetired,
                let id = check.first.first ?? tenant[check.tier].next(&check.walk)
            else { return nil }
            budget -= StepCost.look
            var left = check.left ?? callerCount(of: id)
            let start = start(of: id, behind: check.rank, tenant, check.tier, now: now)
            while left > 0 {
                guard budget > 0 else {
                    check.left = left
                    return .checkDeadlines(check)
                }
                budget -= checkDeadlineOfNextCaller(of: id, start, now: now)
                left -= 1
            }
            check.left = nil
            // A mint without callers has left the queue that is walked through, unless it goes before all others.
            let stays = isQueuedForCallers(id)
            let goesFirst = !check.first.isEmpty && calls[id]?.ticket != nil
            if stays || goesFirst { check.rank += 1 }
            if !check.first.isEmpty {
                check.first.removeFirst()
            } else if stays {
                tenant[check.tier].pass(&check.walk)
            }
        }
        return .checkDeadlines(check)
    }

    /// Returns the number of requests that wait for a queued call.
    private func callerCount(of id: CallID) -> Int {
        guard let call = calls[id], call.sent == nil else { return 0 }
        guard let logout = logout(of: call) else { return callers(of: call).count }
        return waiters[logout] == nil ? 0 : 1
    }

    private func isQueuedForCallers(_ id: CallID) -> Bool {
        if case .caller? = calls[id]?.ticket { true } else { false }
    }

    /// Returns the time at which the callers of a queued call can be served.
    ///
    /// A logout waits for the last of its revocations. It is rejected at the first one, as none of them delays a caller
    /// once nobody waits for them.
    private func start(
        of id: CallID,
        behind rank: Int,
        _ tenant: TenantState,
        _ tier: Tier,
        now: Instant
    ) -> Instant {
        var delay = tenant[tier].delay(behind: rank, now: now)
        if let member = calls[id]?.revocation?.logout.flatMap({ waiters[$0] }), case .logout(let logout) = member.goal,
            let last = logout.open.last, last != id, let ticket = calls[last]?.ticket
        {
            delay = tenant[tier].delay(of: ticket, for: member.peer, now: now)
        }
        return delay?.until ?? now
    }

    /// Checks the next waiter of a call, and rejects it if it can't be served in time.
    ///
    /// - Returns: The cost of the step.
    private mutating func checkDeadlineOfNextCaller(of id: CallID, _ start: Instant, now: Instant) -> Int {
        guard let call = calls[id], let caller = logout(of: call) ?? waiters.first(of: callers(of: call)),
            let member = waiters[caller]
        else { return StepCost.look }
        guard member.deadline > start else {
            let cause = tenants[call.tenant]?[call.tier].block(now)?.cause ?? .rate
            endWait(caller, .error(.paced(cause, until: start, now: now)), cancelsCall: true, now: now)
            return StepCost.call
        }
        var list = callers(of: call)
        waiters.rotate(&list)
        if let job = call.api?.job {
            provisioning.update(job) { $0.waiters = list }
        } else {
            calls.update(id) { $0.waiters = list }
        }
        return StepCost.look
    }

    /// Returns the requests that wait for a call, or for the job whose step it is.
    private func callers(of call: Call) -> Waiters.List {
        guard let job = call.api?.job else { return call.waiters }
        return provisioning[job]?.waiters ?? Waiters.List()
    }

    /// Returns the logout that waits for a call, or for the job whose step it is.
    private func logout(of call: Call) -> Waiters.ID? {
        guard case .sweep(_, let logout)? = call.api.flatMap({ provisioning[$0.job]?.work }) else {
            return call.revocation?.logout
        }
        return logout
    }
}
