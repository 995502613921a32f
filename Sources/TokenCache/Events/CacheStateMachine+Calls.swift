import TokenProtocol

/// Queueing calls by their waiters, and sending them.
extension CacheStateMachine {
    // MARK: Queueing

    /// Queues a mint of a key's current generation.
    mutating func enqueue(
        _ key: TokenKey,
        _ cause: AuditRecord.MintCause,
        as rank: Governor.Rank,
        for peer: Peer? = nil,
        refresh: Mint.Refresh? = nil,
        requestedAt: Instant? = nil
    ) -> CallID {
        let mint = Mint(
            key: key,
            cause: cause,
            refresh: refresh,
            owner: peer?.uid ?? EntryStore.nobody,
            requestedAt: requestedAt,
            isProbe: cause == .probe
        )
        return enqueue(.mint(mint), at: key.user.tenant, as: rank, for: peer)
    }

    /// Queues a call.
    mutating func enqueue(_ work: Call.Work, at tenant: TenantID, as rank: Governor.Rank, for peer: Peer?) -> CallID {
        let id = calls.nextID(serial: newSerial())
        // A call without a governor would never end. All callers of this function have found the tenant.
        var call = Call(id: id, tenant: tenant, peer: peer, phase: .queued(.first(id)), work: work)
        if let ticket = tenants[tenant]?[call.tier].enqueue(id, as: rank) { call.phase = .queued(ticket) }
        noteQueued(&call)
        calls.insert(call)
        touch(tenant)
        return id
    }

    /// Queues a refresh of a valid token, unless one is under way or the key's last mint has just failed.
    mutating func enqueueRefresh(of slot: Int, now: Instant) -> Bool {
        guard let entry = store[slot], currentCall(of: entry.key) == nil,
            negatives[entry.key]?.error(at: now) == nil
        else { return false }
        statistics.refreshesDue += 1
        let refresh = Mint.Refresh(tokenEnds: entry.life.expiry, deadline: entry.life.refreshDeadline)
        _ = enqueue(entry.key, .refresh, as: Self.rank(of: refresh), refresh: refresh)
        return true
    }

    // MARK: Traces

    /// Notes the trace of a request that asks for a call.
    mutating func note(_ trace: TraceContext?, of call: CallID, waits: Bool) {
        guard let trace else { return }
        calls.update(call) { $0.traces.add(trace, waits: waits) }
    }

    /// Returns the trace context that a call is sent with, or nil if it has none.
    ///
    /// It is that of a request that waits, or else of one that didn't mean to. A request that has stopped waiting gets
    /// nothing of the call, so its trace has no part of it.
    private mutating func trace(of call: Call) -> TraceContext? {
        // A call that is sent again, with a new secret, is still the same step of the trace.
        if let sent = call.traces.sent { return sent }
        guard let context = waiters.firstTrace(of: call.waiters) ?? call.traces.unawaited else { return nil }
        let sent = context.continued(by: newSpanID())
        calls.update(call.id) { $0.traces.sent = sent }
        return sent
    }

    // MARK: Ranks

    private static func rank(of refresh: Mint.Refresh) -> Governor.Rank {
        .background(tokenEnds: refresh.tokenEnds, urgentFrom: refresh.deadline, notBefore: refresh.notBefore)
    }

    /// Returns the rank of a call, which depends on its waiters.
    func rank(of call: Call) -> Governor.Rank {
        switch call.work {
        case .revocation(let revocation):
            guard revocation.logout.flatMap({ waiters[$0] }) != nil, let peer = call.peer else {
                return .background(tokenEnds: revocation.expiry, urgentFrom: nil, notBefore: nil)
            }
            return .caller(peer.uid)
        case .mint(let mint):
            if mint.isProbe { return .first }
            if let first = waiters.first(of: call.waiters).flatMap({ waiters[$0] }) {
                return mint.hasTriedNewSecret ? .first : .caller(first.peer)
            }
            return mint.refresh.map(Self.rank) ?? (isOfRound(mint) ? .round : .prefetch(mint.owner))
        case .api(let work):
            guard provisioning[work.job]?.hasBegun != true else { return .first }
            let first = provisioning[work.job].flatMap { waiters.first(of: $0.waiters) }.flatMap { waiters[$0] }
            return .caller(first?.peer ?? call.peer?.uid ?? EntryStore.nobody)
        }
    }

    /// Queues a call again after its waiters have changed.
    mutating func requeue(_ id: CallID, now: Instant) {
        guard let call = calls[id], let ticket = call.ticket else { return }
        let rank = rank(of: call)
        if case .prefetch(let peer) = rank {
            guard canAddPrefetch(for: peer) else { return end(id, .overLimit, now: now) }
            evictPrefetchIfFull(for: peer, now: now)
        }
        tenants[call.tenant]?[call.tier].withdraw(ticket)
        guard let ticket = tenants[call.tenant]?[call.tier].enqueue(id, as: rank) else { return }
        calls.move(id, to: .queued(ticket))
        touch(call.tenant)
    }

    /// Moves a queued call to the position of a peer that now waits for it, if that is sooner.
    mutating func promote(_ id: CallID, for peer: PeerUID) {
        guard let call = calls[id], let ticket = call.ticket,
            tenants[call.tenant]?[call.tier].isSooner(ticket, for: peer) == true
        else { return }
        tenants[call.tenant]?[call.tier].withdraw(ticket)
        guard let new = tenants[call.tenant]?[call.tier].enqueue(id, as: .caller(peer)) else { return }
        calls.move(id, to: .queued(new))
        touch(call.tenant)
    }

    /// Handles a mint that no request waits for any more.
    ///
    /// It goes on as a prefetch if its token is useful.
    ///
    /// - Parameter cancels: True if a mint that was queued for callers is ended, as they were told to come back.
    mutating func lastWaiterLeft(_ id: CallID, cancels: Bool, now: Instant) {
        guard let call = calls[id], call.sent == nil, let mint = call.mint else { return }
        let isForCallers = mint.refresh == nil && !mint.isProbe && !isOfRound(mint)
        if fate(of: call) != .current || cancels && isForCallers {
            end(id, .unwanted, now: now)
        } else {
            requeue(id, now: now)
        }
    }

    // MARK: Generations

    /// Returns the fate of a mint's token.
    ///
    /// A flush or a reload may have superseded it without having reached it yet.
    func fate(of call: Call) -> Mint.Fate {
        guard let mint = call.mint else { return .current }
        guard mint.fate == .current else { return mint.fate }
        let isOld = call.id.serial <= store.floor(of: call.tenant) || tenants[call.tenant]?.isRetired ?? true
        return isOld ? .superseded : .current
    }

    /// Raises a key's generation.
    ///
    /// The mint under way answers its waiters, and its token is not cached.
    mutating func supersede(_ id: CallID, now: Instant) {
        guard let call = calls[id] else { return }
        guard call.sent != nil || !call.waiters.isEmpty else { return end(id, .unwanted, now: now) }
        calls.update(id) { $0.mint?.fate = .superseded }
    }

    // MARK: Sending

    /// Sends the calls of a tier that may be sent now, and ends those that are of no use any more.
    ///
    /// - Parameter budget: The cost that the work for all tenants may have, reduced by that of this work.
    mutating func sendCalls(of tenant: TenantID, _ tier: Tier, _ budget: inout Int, now: Instant) {
        guard let state = tenants[tenant], !state.isRetired else { return }
        repeatStep(&budget) { _ in state[tier].endPause(at: now) ? StepCost.look : nil }
        repeatStep(&budget) { machine in
            guard let call = state[tier].expired(at: now) else { return nil }
            machine.end(call, .expired, now: now)
            return StepCost.call
        }
        repeatStep(&budget) { machine in
            let someoneWaits = machine.waiters.count(for: tenant) > 0
            guard let id = state[tier].candidate(at: now, someoneWaits: someoneWaits) else { return nil }
            return machine.send(id, of: state, tier, someoneWaits: someoneWaits, now: now)
        }
    }

    /// Sends a call, or ends it if it is of no use any more.
    ///
    /// - Returns: The cost of the step, or nil if the call is not queued.
    private mutating func send(
        _ id: CallID,
        of state: TenantState,
        _ tier: Tier,
        someoneWaits: Bool,
        now: Instant
    ) -> Int? {
        guard let call = calls[id], let ticket = call.ticket else { return nil }
        guard isWanted(call, now: now) else {
            end(id, .unwanted, now: now)
            return StepCost.call
        }
        let usesClient = call.mint.map { !$0.key.user.isClient } ?? false
        let started = state[tier].start(id, ticket, usesClient: usesClient, someoneWaits: someoneWaits, now: now)
        if tier == .tokens, fleet.isConnected(call.tenant) { claim(call, started) } else { sendUnpaid(call, now: now) }
        return StepCost.call
    }

    /// Sends a call.
    mutating func send(_ call: Call, now: Instant) {
        if call.mint != nil { calls.update(call.id) { $0.mint?.fleet.asked = fleet[call.tenant].clock } }
        calls.move(call.id, to: .sent(at: now))
        actions.calls.append(order(call))
    }

    private mutating func order(_ call: Call) -> CallOrder {
        let trace = trace(of: call)
        switch call.work {
        case .mint(let mint):
            statistics.started += 1
            guard mint.key.user.isClient else { return .mint(call.id, mint.key, trace) }
            // A reload ends the mints of a client that is gone. An empty id would be the id of no client.
            let clientID = client(of: mint.key.user)?.clientID ?? ""
            return .mintForClient(call.id, mint.key, clientID: clientID, trace)
        case .revocation(let revocation):
            return .revoke(call.id, call.tenant, revocation.token.accessToken, trace)
        case .api(let work):
            return .api(call.id, call.tenant, work.call, bearer: work.bearer.accessToken, trace)
        }
    }

    /// True if a call is still worth making.
    ///
    /// A refresh is not if its user has become idle or its token is gone, and a mint is not if nobody would get its
    /// token.
    func isWanted(_ call: Call, now: Instant) -> Bool {
        switch call.work {
        case .revocation(let revocation): return revocation.expiry > now
        case .api(let work):
            return provisioning[work.job].map { isAllowed($0) && !$0.isUnwanted && !$0.isTooLate(at: now) } ?? false
        case .mint(let mint):
            if !call.waiters.isEmpty { return true }
            guard fate(of: call) == .current else { return false }
            guard mint.requestedAt == nil, tenants[call.tenant]?.client.probe != call.id else { return true }
            // The client isn't suspected any more, and nobody requested this token.
            guard mint.cause != .probe else { return false }
            guard mint.refresh != nil else { return true }
            return store.find(mint.key).flatMap { store[$0] }.map { isInUse($0, now: now) } ?? false
        }
    }

    /// True if an entry is worth refreshing without a request: its token can be served and was used lately.
    func isInUse(_ entry: Entry, now: Instant) -> Bool {
        // After a suspend the deadline may be long past. Then the entry is about to expire, and no request wants a
        // refresh.
        guard let lastUsed = entry.lastUsed else { return false }
        return entry.life.isServable(at: now) && now - lastUsed <= policy.idleTTL && !entry.isUnusedRefresh
    }
}
