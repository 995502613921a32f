import TokenProtocol
import TokenStorage

/// Restoring the tokens that the last daemon stored.
extension CacheStateMachine {
    /// True until all records of the last daemon are read.
    var isRestoring: Bool { restoration?.isReading ?? false }

    /// Starts to restore the tokens of the last daemon, in slices.
    ///
    /// The tenants have to be known by now.
    package mutating func beginRestoring(now: Instant) -> CacheActions {
        if let restoration, restoration.began == nil {
            self.restoration?.began = now
            add(.restore)
        }
        return finish(now)
    }

    /// Does a part of the work, and returns the rest of it.
    mutating func restore(_ budget: inout Int, now: Instant) -> DeferredWork? {
        if isRestoring { readRecords(&budget, now: now) }
        releaseWaiters(&budget, now: now)
        guard !isRestoring else { return .restore }
        while budget > 0, let prefetch = restoration?.takePrefetch() {
            _ = self.prefetch(prefetch.key, prefetch.options, now: now)
            budget -= 1
        }
        while budget > 0, let slot = restoration?.order.takeLatest() {
            store.linkAsOldest(slot)
            budget -= 1
        }
        guard restoration?.isOver == true else { return .restore }
        restoration = nil
        enforceEntryLimit(now: now)
        return nil
    }

    /// Reads the rest of the records at the end of the daemon, if an order may concern them.
    mutating func finishRestoring(now: Instant) {
        guard restoration?.began != nil, restoration?.hasOrders == true else { return }
        while isRestoring {
            var budget = sliceSize
            readRecords(&budget, now: now)
        }
    }

    // MARK: Records

    private mutating func readRecords(_ budget: inout Int, now: Instant) {
        let storage = store.memory.storage
        let time = store.time(of: now)
        var found: [RecordID] = []
        storage.restoreNext(budget, now: time) {
            found.append($0)
            return true
        }
        budget = 0
        var identities = RecordIdentities()
        var run: [SortedRuns.Item] = []
        for record in found {
            guard let slot = take(record, &identities, now: now) else { continue }
            run.append(SortedRuns.Item(time: store.records[record].lastUsed, number: UInt32(slot)))
        }
        restoration?.order.add(run)
        if !store.hasUnreadRecords { endReading(now: now) }
    }

    private mutating func endReading(now: Instant) {
        restoration?.endReading()
        if let restoration {
            actions.notices.append(.restored(entries: restoration.count, duration: now - (restoration.began ?? now)))
        }
        for tenant in configured where tenants[tenant]?.round != nil { touch(tenant) }
    }

    /// Makes a record an entry, or drops it.
    ///
    /// It must not have expired, its tenant and client must be configured as they were, there must be no later token,
    /// and nothing that has been ordered since the start may concern it.
    ///
    /// - Returns: The slot of the entry, or nil if it is not there.
    private mutating func take(_ record: RecordID, _ identities: inout RecordIdentities, now: Instant) -> Int? {
        guard let key = restorableKey(record, &identities, now: now) else {
            store.memory.storage.remove(record)
            return nil
        }
        let put = store.put(record, key, for: store.records[record].owner, isOrdered: false)
        statistics.evictions.capacity += put.surplus
        statistics.restored += 1
        restoration?.count += 1
        for order in restoration?.orders(for: key.user) ?? [] { perform(order, on: key, now: now) }
        restoration?.release(key)
        return store.contains(put.slot) ? put.slot : nil
    }

    private func restorableKey(
        _ record: RecordID,
        _ identities: inout RecordIdentities,
        now: Instant
    ) -> TokenKey? {
        let view = store.records[record]
        guard let identity = identities.identity(of: view, in: store.records), let field = view.field,
            let tenant = self.identities[identity.tenant], restoration?.drops(tenant) == false,
            store.memory.clock.instant(at: view.sent + view.lifetime) > now
        else { return nil }
        let user = UserKey(tenant: tenant, user: UserLookup(field: field, value: unsafe Array(view.user)))
        guard self.identity(of: user) == identity.origin else { return nil }
        let key = TokenKey(user: user, scopes: identity.scopes)
        guard let present = store.find(key) else { return key }
        return store.records[store.slots[present].record].arrived < view.arrived ? key : nil
    }

    private mutating func perform(_ order: Restoration.Order, on key: TokenKey, now: Instant) {
        switch order {
        // Only this key's token: another one of the user may have been minted after the order.
        case .evict(let scopes):
            guard scopes == nil || scopes == key.scopes else { return }
            statistics.evictions.evicted += drop(key.user, scopes: key.scopes).count
        case .revoke(let scopes, let peer):
            guard scopes == nil || scopes == key.scopes else { return }
            let dropped = takeTokens(key.user, scopes: key.scopes)
            statistics.evictions.revoked += dropped.count
            for token in dropped {
                enqueueRevocation(of: token.token, token.key, until: token.expiry, as: nil, for: peer, now: now)
            }
        case .report(let scopes, let fingerprint):
            _ = report(TokenKey(user: key.user, scopes: scopes), fingerprint, now: now)
        case .fleet(let drop, let fence): dropEntries(of: key.user, scopes: key.scopes, drop, upTo: fence, now: now)
        }
    }

    // MARK: Waiting

    /// Lets a request whose entry may not be read yet wait for it.
    ///
    /// - Returns: The answer to the request, or nil if it can be judged at once.
    mutating func waitForRestoring(
        _ key: TokenKey,
        _ options: RequestOptions,
        _ waiter: Waiter,
        now: Instant
    ) -> RequestAnswer? {
        guard isRestoring, tenants[key.user.tenant]?.isRetired == false else { return nil }
        guard options.timeout > .zero else {
            _ = restoration?.hold(Restoration.Prefetch(key: key, options: options), limit: Self.maxPrefetches)
            return .fail(.timedOut)
        }
        guard canAddWaiter(for: options.peer.uid) else {
            countQuotaRejection(options.peer.uid)
            return .fail(.tooManyWaiting)
        }
        evictWaiterIfFull(now: now)
        var list = restoration?.waiters[key] ?? Waiters.List()
        _ = waiters.add(
            waiter,
            of: options.peer.uid,
            at: key.user.tenant,
            for: .restoring(key, options),
            since: now,
            until: now + options.timeout,
            in: options.trace,
            to: &list
        )
        restoration?.update(key, list)
        return .wait
    }

    /// Judges requests anew whose entry is there, or whose entry can't come any more.
    ///
    /// While records are read they have a budget of their own, so that they don't wait for all of them.
    private mutating func releaseWaiters(_ budget: inout Int, now: Instant) {
        for _ in 0..<Self.repliesPerRound {
            guard isRestoring || budget > 0, let key = restoration?.nextReleased(),
                var list = restoration?.waiters[key], let id = waiters.first(of: list),
                let member = waiters.remove(id, from: &list)
            else { return }
            if !isRestoring { budget -= 1 }
            restoration?.update(key, list)
            judgeAnew(member, now: now)
        }
    }

    private mutating func judgeAnew(_ member: Waiters.Member, now: Instant) {
        guard case .restoring(let key, var options) = member.goal else { return }
        guard member.deadline > now else { return send(.error(.timedOut), to: member.waiter) }
        options.timeout = member.deadline - now
        switch answer(key, options, waiter: member.waiter, waitsForRestoring: false, now: now) {
        case .serve(let reply), .serveAndRefresh(let reply): send(.token(reply), to: member.waiter)
        case .fail(let error): send(.error(error), to: member.waiter)
        case .wait: break
        }
    }
}
