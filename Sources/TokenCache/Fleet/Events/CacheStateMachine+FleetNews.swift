import TokenProtocol

/// Drops of tokens that other machines have made.
///
/// An event of a drop may come late or twice. It concerns what has its fence or a lower one, so that neither matters.
extension CacheStateMachine {
    /// Drops what another machine has dropped.
    mutating func dropped(_ drop: FleetDrop, _ fence: FleetFence, now: Instant) {
        guard tenants[drop.tenant]?.isRetired == false else { return }
        fleet.statistics.dropsReceived += 1
        fleet[drop.tenant].noteDrop(fence)
        switch drop.target {
        case .tenant(let tenant): dropAll(of: tenant, upTo: fence)
        case .user(let user, let scopes):
            endMints(of: user, scopes, drop.reason, upTo: fence, now: now)
            dropEntries(of: user, scopes: scopes, drop, upTo: fence, now: now)
            restoration.add(.fleet(drop, upTo: fence), for: user)
        case .reported(let key, _):
            endMints(of: key.user, key.scopes, .eviction, upTo: fence, now: now)
            dropEntries(of: key.user, scopes: key.scopes, drop, upTo: fence, now: now)
            restoration.add(.fleet(drop, upTo: fence), for: key.user)
        }
    }

    // MARK: Mints

    private mutating func endMints(
        of user: UserKey,
        _ scopes: ScopeSet?,
        _ reason: FleetDrop.Reason,
        upTo fence: FleetFence,
        now: Instant
    ) {
        if case .logout = reason {
            tenants[user.tenant]?.client.forget(user)
            let end = CallEnd.loggedOut
            endMints(of: user, scopes: scopes, as: .revoked(nil), end, .revokedMeanwhile, upTo: fence, now: now)
        } else {
            for id in calls.mints(of: user) {
                guard let mint = calls[id]?.mint, scopes ?? mint.key.scopes == mint.key.scopes else { continue }
                supersede(id, upTo: fence, now: now)
            }
        }
    }

    private mutating func supersede(_ id: CallID, upTo fence: FleetFence, now: Instant) {
        guard let mint = calls[id]?.mint, mint.fate == .current, mint.fleet.fence <= fence else { return }
        supersede(id, now: now)
    }

    // MARK: Entries

    /// Drops the entries of a user that a drop of another machine concerns.
    ///
    /// - Parameter scopes: The scopes of the entries that are looked at, or nil for all.
    mutating func dropEntries(
        of user: UserKey,
        scopes: ScopeSet?,
        _ drop: FleetDrop,
        upTo fence: FleetFence,
        now: Instant
    ) {
        if case .reported(let key, let fingerprint) = drop.target {
            guard scopes ?? key.scopes == key.scopes, let slot = store.find(key), store.hasToken(slot, fingerprint)
            else { return }
            if store.remove(slot) { statistics.evictions.invalidated += 1 }
            return
        }
        for entry in entries(of: user, scopes: scopes) where drop.concerns(entry.key.scopes) && entry.fence <= fence {
            self.drop(entry, drop, now: now)
        }
    }

    private mutating func drop(_ entry: Entry, _ drop: FleetDrop, now: Instant) {
        guard case .logout = drop.reason else {
            store.remove(entry.slot)
            statistics.evictions.evicted += 1
            return
        }
        let token = store.token(of: entry.slot)
        store.remove(entry.slot)
        statistics.evictions.revoked += 1
        guard !drop.revokes(token) else { return }
        revokeOnce(DroppedToken(key: entry.key, token: token, expiry: entry.life.expiry), now: now)
    }

    // MARK: All entries

    /// Drops all of a tenant's entries that a drop concerns.
    ///
    /// Mostly it concerns all that there are. An old event is handled in slices.
    private mutating func dropAll(of tenant: TenantID, upTo fence: FleetFence) {
        restoration.flush(tenant)
        let isLatest = fence >= fleet[tenant].highestCached && statistics.restored == 0
        if isLatest { _ = flush(tenant) } else { add(.dropEntries(tenant, upTo: fence, next: 0)) }
    }

    /// Drops some of a tenant's entries that have a fence or a lower one, and supersedes mints.
    mutating func dropEntries(
        of tenant: TenantID,
        upTo fence: FleetFence,
        from start: Int,
        _ budget: inout Int,
        now: Instant
    ) -> DeferredWork? {
        var next = start
        let calls = self.calls.indices.upperBound
        while next < calls + store.slots.count {
            guard budget > 0 else { return .dropEntries(tenant, upTo: fence, next: next) }
            budget -= 1
            if next < calls {
                let call = self.calls.call(at: next)
                if let call, call.tenant == tenant { supersede(call.id, upTo: fence, now: now) }
            } else {
                dropEntry(in: next - calls, of: tenant, upTo: fence)
            }
            next += 1
        }
        return nil
    }

    private mutating func dropEntry(in slot: Int, of tenant: TenantID, upTo fence: FleetFence) {
        guard store.contains(slot), store.tenant(of: slot) == tenant, store.fence(of: slot) <= fence,
            store.remove(slot)
        else { return }
        statistics.evictions.flushed += 1
    }
}

extension FleetDrop {
    /// True if tokens with these scopes are dropped.
    fileprivate func concerns(_ scopes: ScopeSet) -> Bool {
        guard case .user(_, let dropped?) = target else { return true }
        return dropped == scopes
    }
}
