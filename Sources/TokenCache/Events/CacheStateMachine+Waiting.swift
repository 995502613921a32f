package import TokenProtocol

/// Waiting requests: limits, the ends of waits, and the replies.
extension CacheStateMachine {
    /// The maximum number of uids whose quota rejections are counted.
    private static var maxCountedPeers: Int { 1_024 }
    /// The number of waits that are cancelled at once when connections close.
    ///
    /// The others are cancelled in slices. A thousand requests may wait on each of many connections that close
    /// together.
    private static var cancelledAtOnce: Int { 32 }
    /// The number of waiters of one call that get their replies before the next call's waiters do.
    static var repliesPerRound: Int { 64 }

    // MARK: Limits

    /// True if one more request of a uid may wait.
    ///
    /// While other uids wait, a uid's share is its bound. If all positions are taken, a uid over its quota loses one to
    /// a uid below it.
    func canAddWaiter(for peer: PeerUID) -> Bool {
        let own = waiters.count(of: peer)
        guard own == waiters.count || own < waitingBound(contenders: 1) else { return false }
        guard waiters.count >= Self.maxWaiters else { return true }
        let bound = waitingBound(contenders: waiters.peerCount + (own == 0 ? 1 : 0))
        return own < bound && waiters.busiest.map { $0.count > bound } ?? false
    }

    private func waitingBound(contenders: Int) -> Int {
        Quota.bound(Self.maxWaiters, share: policy.waitingShare, contenders: contenders)
    }

    /// Rejects the last waiter of the uid with the most, if all positions are taken.
    ///
    /// Its mint goes on.
    mutating func evictWaiterIfFull(now: Instant) {
        guard waiters.count >= Self.maxWaiters, let (peer, _) = waiters.busiest, let id = waiters.last(of: peer)
        else { return }
        countQuotaRejection(peer)
        endWait(id, .error(.tooManyWaiting), now: now)
    }

    mutating func countQuotaRejection(_ peer: PeerUID) {
        guard overQuota[peer] != nil || overQuota.count < Self.maxCountedPeers else { return }
        overQuota[peer, default: 0] += 1
    }

    // MARK: Ends of waits

    /// Cancels the waits of requests whose connections are closed.
    ///
    /// Their mints go on.
    package mutating func cancelWaits(of names: some Sequence<Waiter>, now: Instant) -> CacheActions {
        let names = Array(names)
        for name in names.prefix(Self.cancelledAtOnce) { cancelWait(of: name, now: now) }
        if names.count > Self.cancelledAtOnce { add(.cancelWaits(names, next: Self.cancelledAtOnce)) }
        return finish(now, performsDeferredWork: names.count <= Self.cancelledAtOnce)
    }

    /// Cancels one wait.
    mutating func cancelWait(of name: Waiter, now: Instant) {
        if let id = waiters.find(name) { stopWaiting(id, now: now) }
    }

    /// Ends the waits that have timed out.
    mutating func endDueWaits(_ budget: inout Int, now: Instant) {
        repeatStep(&budget) { machine in
            guard let id = machine.waiters.due(at: now) else { return nil }
            machine.endWait(id, .error(.timedOut), now: now)
            return StepCost.call
        }
    }

    /// Ends one wait with a result, or with that of its call if it has completed in the meantime.
    mutating func endWait(
        _ id: Waiters.ID,
        _ result: Completions.Result,
        cancelsCall: Bool = false,
        now: Instant
    ) {
        guard let member = waiters[id] else { return }
        if case .restoring = member.goal {
            stopWaiting(id, now: now)
            if case .error(let error) = result { send(.error(error), to: member.waiter) }
            return
        }
        guard case .mint(let call, let acceptsStale) = member.goal else {
            let reply = reply(to: member, result)
            stopWaiting(id, now: now)
            return deliver(reply, to: member, now: now)
        }
        let completion = completions[call]
        guard let key = completion?.key ?? calls[call]?.mint?.key else { return }
        stopWaiting(id, cancelsCall: cancelsCall, now: now)
        reply(to: member.waiter, completion?.result ?? result, acceptsStale: acceptsStale, key, now: now)
    }

    /// Returns the reply to a logout or a provision that waits no longer.
    private func reply(to member: Waiters.Member, _ result: Completions.Result) -> Reply {
        switch member.goal {
        case .logout(let logout): return logout.reply(soFar: logout.job.map { sweptCount(of: $0) } ?? 0)
        case .job(let job):
            if case .ended(let reply)? = provisioning[job]?.phase { return reply }
            guard case .error(let error) = result, error != .timedOut else { return .error(.provisionTimedOut) }
            return .error(error)
        case .mint, .restoring: return .error(.timedOut)
        }
    }

    /// Removes a waiter.
    mutating func stopWaiting(_ id: Waiters.ID, cancelsCall: Bool = false, now: Instant) {
        guard let member = waiters[id] else { return }
        switch member.goal {
        case .mint(let call, _):
            statistics.recordWait(now - member.since)
            if var list = completions[call]?.waiters {
                waiters.remove(id, from: &list)
                completions.update(call, list)
            } else if var list = calls[call]?.waiters {
                waiters.remove(id, from: &list)
                calls.update(call) { $0.waiters = list }
                if list.isEmpty { lastWaiterLeft(call, cancels: cancelsCall, now: now) }
            }
        case .logout(let logout):
            var none = Waiters.List()
            waiters.remove(id, from: &none)
            for call in logout.open {
                calls.update(call) { $0.revocation?.logout = nil }
                requeue(call, now: now)
            }
            if let job = logout.job {
                provisioning.update(job) { $0.leaveLogout() }
                // A call behind a long hold would keep its place among the uid's jobs.
                if let call = provisioning[job]?.call, provisioning[job]?.isTooLate(at: now) == true,
                    calls[call]?.sent == nil
                {
                    end(call, .unwanted, now: now)
                }
            }
        case .restoring(let key, _):
            guard var list = restoration.waiters[key] else { break }
            waiters.remove(id, from: &list)
            restoration.update(key, list)
        case .job(let job):
            guard var list = provisioning[job]?.waiters else { break }
            waiters.remove(id, from: &list)
            provisioning.update(job, list)
            if list.isEmpty { lastWaiterLeft(job, now: now) }
        }
        touch(member.tenant)
    }

    // MARK: Replies

    /// Delivers the results of completed calls to their waiters, in slices.
    ///
    /// - Parameter budget: The cost that the replies may have, reduced by that of those that were delivered.
    mutating func deliverReplies(_ budget: inout Int, now: Instant) {
        while budget > 0, let call = completions.first, let completion = completions[call] {
            var list = completion.waiters
            for _ in 0..<Self.repliesPerRound where budget > 0 {
                guard let id = waiters.first(of: list), let member = waiters.remove(id, from: &list) else { break }
                touch(member.tenant)
                statistics.recordWait(now - member.since)
                var acceptsStale = false
                if case .mint(_, let accepts) = member.goal { acceptsStale = accepts }
                reply(to: member.waiter, completion.result, acceptsStale: acceptsStale, completion.key, now: now)
                budget -= StepCost.reply
            }
            completions.update(call, list)
            if !list.isEmpty { completions.rotate() }
        }
    }

    private mutating func reply(
        to waiter: Waiter,
        _ result: Completions.Result,
        acceptsStale: Bool,
        _ key: TokenKey,
        now: Instant
    ) {
        let reply: Reply
        switch result {
        case .token(let token, let life, let source) where life.left(at: now) >= TokenLife.minServed:
            let left = life.left(at: now).wholeSeconds
            statistics.lifetimes.record(left)
            reply = .token(TokenReply(token: token, expiresIn: left, source: source))
        case .token: reply = .error(.expiredOnArrival)
        case .error(let error):
            let cached = acceptsStale ? store.find(key).flatMap { store[$0] } : nil
            let stale = cached.flatMap { $0.life.isServable(at: now) ? $0 : nil }
            reply = stale.map { .token(self.reply($0, isStale: true, now: now)) } ?? .error(error)
            if stale == nil { noteFailedCaller(of: key.user, error) }
        }
        send(reply, to: waiter)
    }

    /// Sends a reply to a request or a job that has waited.
    mutating func send(_ reply: Reply, to waiter: Waiter) {
        guard !waiter.isJob else {
            if let job = provisioning[waiter] { jobEvents.append(.answered(job, reply)) }
            return
        }
        actions.deliveries.append(Delivery(waiter: waiter, reply: reply))
    }

    /// Returns the reply with a cached token.
    mutating func reply(
        _ entry: Entry,
        isStale: Bool = false,
        meetsMinTTL: Bool = true,
        now: Instant
    ) -> TokenReply {
        let left = entry.life.left(at: now).wholeSeconds
        statistics.lifetimes.record(left)
        return TokenReply(
            token: store.token(of: entry.slot),
            expiresIn: left,
            source: .cache,
            isStale: isStale,
            meetsMinTTL: meetsMinTTL
        )
    }
}
