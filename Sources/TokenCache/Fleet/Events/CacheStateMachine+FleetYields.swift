import TokenProtocol

/// Waits for the tokens that other machines mint.
extension CacheStateMachine {
    /// The number of callers of one call who are told at once that they wait in vain.
    private static var rejectedAtOnce: Int { 32 }
    /// The least time of a wait, which is the engine's unit.
    private static var leastYield: Duration { .milliseconds(1) }

    /// Lets a mint wait for another machine, whose lease ends after a time unless it is extended.
    mutating func yield(_ call: Call, for left: Duration, now: Instant) {
        switch call.phase {
        case .queued(let ticket): tenants[call.tenant]?.governor.withdraw(ticket)
        case .claiming(let started): tenants[call.tenant]?.governor.undo(call.id, started, now: now)
        case .yielding(let timer): fleet.removeTimer(timer)
        case .sent, .pausing: return
        }
        // A writer of the engine can give a lease any length.
        let longest = tenants[call.tenant]?.governor.limits.leaseLength ?? Self.leastYield
        let end = now + max(min(left, longest), Self.leastYield)
        let timer = fleet.setTimer(.endOfYield(call.id), at: end)
        calls.update(call.id) {
            $0.mint?.fleet.yieldsUntil = end
            if $0.mint?.fleet.yieldsSince == nil { $0.mint?.fleet.yieldsSince = now }
        }
        calls.move(call.id, to: .yielding(timer))
        touch(call.tenant)
    }

    /// Queues a mint again that has no reason to wait any more.
    mutating func stopYielding(_ id: CallID, looksUp: Bool, now: Instant) {
        guard let call = calls[id], case .yielding(let timer) = call.phase else { return }
        fleet.removeTimer(timer)
        queueAgain(id, as: nil, looksUp: looksUp, now: now)
    }

    /// Queues a call again that is not in any queue.
    ///
    /// - Parameters:
    ///   - rank: The rank, or nil for that of its waiters.
    ///   - looksUp: True if it is looked up meanwhile.
    mutating func queueAgain(_ id: CallID, as rank: Governor.Rank?, looksUp: Bool, now: Instant) {
        guard let call = calls[id] else { return }
        let rank = rank ?? self.rank(of: call)
        // Until it has a position again it has one of no call, so that nothing is withdrawn twice.
        calls.move(id, to: .queued(.first(id)))
        if case .prefetch(let peer) = rank {
            guard canAddPrefetch(for: peer) else { return end(id, .overLimit, now: now) }
            evictPrefetchIfFull(for: peer, now: now)
        }
        guard let ticket = tenants[call.tenant]?.governor.enqueue(id, as: rank) else {
            return end(id, .overLimit, now: now)
        }
        calls.move(id, to: .queued(ticket))
        if looksUp { fleet.noteQueued(id) }
        touch(call.tenant)
    }

    /// Tells the callers of a queued mint who can't be served in time, as the second level has no token for them.
    mutating func rejectLateCallers(of id: CallID, now: Instant) {
        guard let call = calls[id] else { return }
        for _ in 0..<min(call.waiters.count, Self.rejectedAtOnce) {
            guard let call = calls[id], let ticket = call.ticket, let caller = waiters.first(of: call.waiters),
                let member = waiters[caller],
                let delay = tenants[call.tenant]?.governor.delay(of: ticket, for: member.peer, now: now)
            else { return }
            if member.deadline <= delay.until {
                let error = ErrorReply.paced(delay.cause, until: delay.until, now: now)
                endWait(caller, .error(error), cancelsCall: true, now: now)
            } else {
                var list = call.waiters
                waiters.rotate(&list)
                calls.update(id) { $0.waiters = list }
            }
        }
        if call.waiters.count > Self.rejectedAtOnce { checkDeadlines(call.tenant, .tokens) }
    }

    /// Ends waits for other machines, as the second level doesn't answer for a tenant.
    mutating func endYields(of tenant: TenantID, from start: Int, _ budget: inout Int, now: Instant) -> DeferredWork? {
        var next = start
        while next < calls.indices.upperBound, !fleet.isConnected(tenant) {
            guard budget > 0 else { return .endYields(tenant, next: next) }
            if let call = calls.call(at: next), call.tenant == tenant {
                stopYielding(call.id, looksUp: false, now: now)
            }
            next += 1
            budget -= 1
        }
        return nil
    }
}
