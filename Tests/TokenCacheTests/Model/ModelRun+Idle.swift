import OperatorReplies
import Secrets
import TokenProtocol
import TokenStorage

@testable import TokenCache

/// The checks that must hold whenever the cache has nothing left to do.
extension ModelRun {
    /// Checks everything that the cache may delay while it asks to be called again.
    func checkWhenIdle() throws {
        unswept = []
        if !machine.deferredWork.isEmpty || !machine.completions.isEmpty {
            throw violated("work is left, but no wake-up is requested")
        }
        for tenant in tenants where !tenant.isRetired || tenant.queued > 0 { try check(tenant) }
        try checkRounds()
        try checkWaits()
        try checkDeadlines()
        for call in calls where call.isDoomed {
            throw violated("an unwanted call is still queued: \(call.position)")
        }
        if entryCount > policy.maxEntries { throw violated("there are more tokens than allowed") }
        if machine.store.memory.storage.count != entryCount {
            throw violated("\(machine.store.memory.storage.count) tokens are stored, not \(entryCount)")
        }
    }

    private func check(_ tenant: ModelTenant) throws {
        for call in tenant.background {
            if let ends = call.tokenEnds, ends <= now { throw violated("a call for an expired token is still queued") }
            let isOver = call.refresh?.notBefore.map { $0 <= now } ?? false
            if isOver || call.readiness == .soon { call.readiness = .surely }
        }
        tenant.isBack = false
        if tenant.holdsBackCall(now) { throw violated("a call could be sent but isn't") }
        try checkPacing(of: tenant)
        guard tenant.client.isLookedInto else { throw violated("a client is suspect and not probed") }
        if let probe = tenant.client.probe, !calls.contains(where: { $0 === probe }) {
            throw violated("a client is suspect, but its probe is gone")
        }
    }

    /// Checks that everyone who still waits after a change of a hold, the circuit or the limits can be served in time.
    private func checkPacing(of tenant: ModelTenant) throws {
        guard tenant.isPacing else { return }
        tenant.isPacing = false
        guard tenant.isPacingUndisturbed else { return }
        for call in tenant.first + tenant.callers.calls {
            let earliest = tenant.earliest(of: call, now: now)
            for waiter in call.waiters + [call.logout].compactMap(\.self)
            where earliest > waiter.deadline + Self.tolerance {
                throw violated("a caller was not told that its call can't be sent in time")
            }
        }
    }

    /// Checks that every wait has an end, and that all results are delivered.
    private func checkWaits() throws {
        for waiter in waiters.values {
            if waiter.deadline <= now { throw violated("a caller waits past its timeout") }
            if waiter.outcome != nil { throw violated("a waiter did not get the result of its call") }
            if waiter.removalError != nil { throw violated("a waiter was not told that its tenant was removed") }
            if waiter.key == nil, waiter.open.isEmpty { throw violated("a logout did not get its reply") }
        }
    }

    /// Checks that tokens and negative entries are gone when they are due.
    private func checkDeadlines() throws {
        for key in keys {
            if let negative = key.negative, negative.forgetAt <= now {
                if machine.negatives[key.key] != nil { throw violated("a negative entry is past its time") }
                key.negative = nil
            }
            guard let entry = key.entry else { continue }
            if entry.token.expiry <= now { throw violated("an expired token is still cached") }
            if entry.refreshDeadline <= now, !entry.isDeadlineJudged {
                throw violated("a token was not checked at its refresh deadline")
            }
        }
    }

    /// Checks that tokens in use are refreshed at their deadline.
    ///
    /// It looks at those whose timers the cache has got to, if these were set under the current policy.
    func judgeDeadlines() throws {
        for key in keys {
            if let negative = key.negative, negative.forgetAt <= now, machine.negatives[key.key] == nil {
                key.negative = nil
            }
            guard let entry = key.entry, entry.refreshDeadline <= now, !entry.isDeadlineJudged,
                let known = machine.store.find(key.key).flatMap({ machine.store[$0] }), !known.hasRefreshTimer,
                isScheduled(known.slot)
            else { continue }
            entry.isDeadlineJudged = true
            if entry.isInUse(at: now, policy), key.current == nil, key.negativeError(at: now) == nil {
                throw violated("the token of \(key), in use, was not refreshed at its deadline")
            }
        }
    }

    /// True if a slot's timers were set under the present policy.
    private func isScheduled(_ slot: Int) -> Bool {
        machine.deferredWork.allSatisfy { if case .applyPolicy(let next) = $0 { slot < next } else { true } }
    }

    // MARK: Counting anew

    /// Checks the cache's tables and counters against the model.
    func recount() throws {
        tally.note(.recounted)
        let stats = machine.stats(now: now)
        try equal(stats.entries, entries.count, "tokens")
        try equal(stats.negativeEntries, keys.count { $0.negative?.denial != nil }, "negative entries")
        try equal(machine.negatives.count, keys.count { $0.negative != nil }, "keys with negative entries")
        try equal(stats.mints.inFlight, calls.count(where: \.isSent), "calls under way")
        let foreground = tenants.reduce(0) { $0 + $1.first.count + $1.callers.count }
        let ahead = tenants.reduce(0) { $0 + $1.ahead }
        try equal(machine.roundMints, calls.count { $0.round != nil }, "mints of rounds")
        try equal(machine.calls.prefetches.count, tenants.reduce(0) { $0 + $1.prefetches.count }, "prefetches")
        try equal(stats.mints.queued.foreground, foreground, "callers' calls")
        try equal(stats.mints.queued.ahead, ahead, "calls that nobody waits for")
        try equal(machine.calls.count, calls.count, "calls")
        try equal(machine.waiters.count, waiters.count, "waiters")
        try equal(machine.revocationEnds.count, revocations.count, "revocations")
        for peer in Self.peers + [EntryStore.nobody] {
            let owned = entries.count { $0.entry?.owner == peer }
            try equal(stats.uids[peer]?.waiting ?? 0, waiters.values.count { $0.peer == peer }, "waiters of a uid")
            if peer != EntryStore.nobody { try equal(stats.uids[peer]?.entries ?? 0, owned, "tokens of a uid") }
        }
        try equal(machine.store.memory.storage.count, entries.count, "stored tokens")
        let health = stats.tenants.values.map(\.health).max() ?? .ok
        try equal(machine.health(now: now, wall: Simulation.wall).status, health, "health")
        try recountTenants(stats)
        try equal(Self.counters(of: stats), counters, "counters")
        try recountCalls()
    }

    private func equal<Value: Equatable>(_ present: Value, _ expected: Value, _ what: String) throws {
        guard present == expected else { throw violated("\(what): \(present), not \(expected)") }
    }

    private static func counters(of stats: StatsReply) -> ModelCounters {
        ModelCounters(
            hits: stats.requests.hits,
            misses: stats.requests.misses,
            coalesced: stats.requests.coalesced,
            negatives: stats.requests.negatives,
            started: stats.mints.started,
            succeeded: stats.mints.succeeded,
            failed: stats.mints.failed,
            refreshesDue: stats.refreshes.due,
            refreshesDone: stats.refreshes.done,
            refreshesLate: stats.refreshes.late,
            evictions: stats.evictions
        )
    }

    private func recountTenants(_ stats: StatsReply) throws {
        try equal(stats.tenants.count, configured.count, "tenants")
        for tenant in configured {
            guard let told = stats.tenants[tenant.id.name] else { throw violated("a tenant has no statistics") }
            try equal(told.inFlight, tenant.underWay, "calls under way at a tenant")
            try equal(told.queued.callers, tenant.first.count + tenant.callers.count, "a tenant's callers' calls")
            let prefetches = tenant.prefetches.count + tenant.roundCalls.count
            try equal(told.queued.prefetches, prefetches, "a tenant's prefetches")
            try equal(told.queued.refreshes, tenant.background.count, "a tenant's refreshes")
            try equal(told.openFor, tenant.circuit.openUntil(now).map { ($0 - now).inSeconds }, "a circuit's opening")
            try equal(told.state.rawValue, name(of: tenant.circuit), "the state of a circuit")
            try equal(told.client.rawValue, name(of: tenant.client), "the state of a client")
            try equal(told.refusedClients, tenant.refusedClients.count, "refused clients")
            try equal(machine.waiters.count(for: tenant.id), tenant.waiting, "waiters of a tenant")
        }
        let retired = tenants.count { $0.isRetired && $0.underWay > 0 }
        try equal(machine.tenants.count, configured.count + retired, "tenants, and retired ones with calls")
    }

    private func name(of circuit: ModelCircuit) -> String {
        switch circuit.state {
        case .closed: "closed"
        case .open(let until): until > now ? "open" : "half_open"
        case .halfOpen: "half_open"
        }
    }

    private func name(of client: ModelClient) -> String {
        switch client.state {
        case .trusted: "trusted"
        case .doubtful: "doubtful"
        case .suspected: "suspected"
        case .denied: "refused"
        }
    }

    /// Checks that each call has the position that the model expects, and as many waiters.
    private func recountCalls() throws {
        for call in calls {
            guard let id = call.id, let known = machine.calls[id] else { throw violated("a call is gone") }
            try equal(known.sent, call.sent, "the time at which a call was sent")
            if call.key != nil { try equal(known.waiters.count, call.waiters.count, "waiters of a call") }
            let isWaitedFor = known.revocation?.logout.flatMap { machine.waiters[$0] } != nil
            if call.token != nil { try equal(isWaitedFor, call.logout != nil, "the logout that waits for a call") }
            try equal(known.mint.map { $0.key } ?? call.key?.key, call.key?.key, "the key of a call")
            guard let ticket = known.ticket else { continue }
            try equal(position(of: ticket), call.position, "the position of a call")
        }
    }

    private func position(of ticket: Governor.Ticket) -> ModelCall.Position {
        switch ticket {
        case .first: .first
        case .caller(let ticket): .caller(ticket.peer)
        case .prefetch(let ticket): .prefetch(ticket.peer)
        case .background: .background
        case .round: .round
        }
    }
}
