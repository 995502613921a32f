import TokenProtocol
import TokenStorage

/// Restoring the tokens that the last daemon stored.
extension CacheStateMachine {
    /// The number of records that are read at once within a slice.
    ///
    /// Between such steps the slice pays for the orders that concerned them.
    private static var recordsPerStep: Int { 32 }

    /// True until all records of the last daemon are read.
    var isRestoring: Bool { restoration.isReading }

    /// Starts to restore the tokens of the last daemon, in slices.
    ///
    /// The tenants have to be known by now.
    package mutating func beginRestoring(now: Instant) -> CacheActions {
        if !restoration.isOver, restoration.began == nil {
            restoration.began = now
            add(.restore)
        }
        return finish(now)
    }

    /// Does a part of the work, and returns the rest of it.
    mutating func restore(_ budget: inout Int, now: Instant) -> DeferredWork? {
        if isRestoring { readRecords(&budget, now: now) }
        releaseWaiters(&budget, now: now)
        guard !isRestoring else { return .restore }
        while budget > 0, let prefetch = restoration.takePrefetch() {
            _ = self.prefetch(prefetch.key, prefetch.options, now: now)
            budget -= 1
        }
        while budget > 0, let slot = restoration.order.takeLatest() {
            store.linkAsOldest(slot)
            budget -= 1
        }
        guard restoration.endIfDone() else { return .restore }
        enforceEntryLimit(now: now)
        return nil
    }

    /// Reads the rest of the records at the end of the daemon, if an order may concern them.
    mutating func finishRestoring(now: Instant) {
        guard restoration.began != nil, restoration.hasOrders else { return }
        while isRestoring {
            var budget = sliceSize
            readRecords(&budget, now: now)
        }
    }

    // MARK: Records

    private mutating func readRecords(_ budget: inout Int, now: Instant) {
        let (storage, time) = (store.memory.storage, store.time(of: now))
        var classes = RestoredClasses()
        var (found, run): ([RecordID], [SortedRuns.Item]) = ([], [])
        while budget > 0, store.hasUnreadRecords {
            found.removeAll(keepingCapacity: true)
            let cost = storage.restoreNext(min(budget, Self.recordsPerStep), now: time) {
                found.append($0)
                return true
            }
            // Another thread is about to finish the last records. The next slice looks again.
            guard cost > 0 else { break }
            budget -= cost
            for record in found {
                guard let slot = take(record, &classes, time, &budget, now: now) else { continue }
                run.append(SortedRuns.Item(time: store.records[record].lastUsed, number: UInt32(slot)))
            }
        }
        for group in classes.groups { store.leave(group) }
        restoration.order.add(run)
        budget = 0
        if !store.hasUnreadRecords { endReading(now: now) }
    }

    private mutating func endReading(now: Instant) {
        restoration.endReading()
        let duration = now - (restoration.began ?? now)
        actions.notices.append(.restored(entries: restoration.count, duration: duration))
        for tenant in configured where tenants[tenant]?.round != nil { touch(tenant) }
    }

    /// Makes a record an entry, or drops it.
    ///
    /// It must not have expired, its tenant and client must be configured as they were, there must be no later token,
    /// and nothing that has been ordered since the start may concern it.
    ///
    /// - Returns: The slot of the entry, or nil if it is not there.
    private mutating func take(
        _ id: RecordID,
        _ classes: inout RestoredClasses,
        _ time: Int64,
        _ budget: inout Int,
        now: Instant
    ) -> Int? {
        let record = store.records[id]
        guard record.sent + record.lifetime > time, let field = record.field,
            let found = classes.find(record.classID, read: { readClass($0) }),
            found.isOfUsers || field == .client
        else { return drop(id) }
        let hash = UserIndex.hash(found.tenant, field, unsafe Span(_unsafeBytes: record.user))
        // Nearly no record needs more than this, which allocates nothing.
        guard field != .client, !restoration.concerns(hash), !store.slots.hasUser(found.tenant, record, hash: hash)
        else {
            let user = UserLookup(field: field, value: unsafe Array(record.user))
            let key = TokenKey(tenant: found.tenant, user: user, scopes: found.scopes)
            return take(id, as: key, found, hash, &budget, now: now)
        }
        statistics.restored += 1
        restoration.count += 1
        return store.restore(id, found.group, hash: hash)
    }

    /// Makes a record an entry, or drops it, if orders, requests or other tokens of the user are to be looked at.
    private mutating func take(
        _ id: RecordID,
        as key: TokenKey,
        _ found: RestoredClass,
        _ hash: UInt32,
        _ budget: inout Int,
        now: Instant
    ) -> Int? {
        guard identity(of: key.user) == found.origin else { return drop(id) }
        let orders = restoration.orders(for: key.user)
        budget -= orders.count
        let present = store.find(key).map { store.records[store.slots[$0].record].arrived }
        guard present ?? .min < store.records[id].arrived, !restoration.drops(hash) else {
            revoke(id, key, orders, now: now)
            return drop(id)
        }
        let put = store.put(id, key, for: store.records[id].owner, isOrdered: false)
        statistics.evictions.capacity += put.surplus
        statistics.restored += 1
        restoration.count += 1
        for order in orders { perform(order, on: key, now: now) }
        restoration.release(key)
        return store.contains(put.slot) ? put.slot : nil
    }

    private func drop(_ id: RecordID) -> Int? {
        store.memory.storage.remove(id)
        return nil
    }

    /// Reads a class, or returns nil if its tokens are dropped.
    private mutating func readClass(_ id: RecordID) -> RestoredClass? {
        let texts = store.records[class: id].tokenClass
        guard let scopes = texts.scopes.isEmpty ? .all : ScopeSet(texts.scopes),
            let tenant = identities[texts.tenant], !restoration.drops(tenant)
        else { return nil }
        let origin = TenantPolicy.Identity(host: texts.host, clientID: texts.clientID)
        return RestoredClass(
            tenant: tenant,
            origin: origin,
            scopes: scopes,
            isOfUsers: tenants[tenant]?.identity == origin,
            group: store.join(tenant, scopes)
        )
    }

    // MARK: Orders

    private mutating func perform(_ order: RestorationOrders.Order, on key: TokenKey, now: Instant) {
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
            guard scopes == key.scopes else { return }
            _ = report(key, fingerprint, now: now)
        case .fleet(let drop, let fence): dropEntries(of: key.user, scopes: key.scopes, drop, upTo: fence, now: now)
        }
    }

    /// Revokes the token of a record that doesn't become an entry, if a logout concerned it.
    ///
    /// A token that is there instead was minted after the logout.
    private mutating func revoke(_ id: RecordID, _ key: TokenKey, _ orders: [RestorationOrders.Order], now: Instant) {
        for case .revoke(let scopes, let peer) in orders where scopes ?? key.scopes == key.scopes {
            let record = store.records[id]
            let expiry = store.memory.clock.instant(at: record.sent + record.lifetime)
            enqueueRevocation(of: store.token(of: id), key, until: expiry, as: nil, for: peer, now: now)
            return
        }
    }
}
