package import Secrets
package import TokenProtocol

/// Prefetches, reports of refused tokens, logouts and evictions.
extension CacheStateMachine {
    /// A token that took a reported one's place is not dropped again within this: those who report late mean the old one.
    static var reportGrace: Duration { .seconds(10) }

    /// What a prefetch came to.
    package struct PrefetchCount: Sendable, Equatable {
        package var queued = 0
        package var cached = 0
        package var refused = 0
    }

    /// Plans mints before anyone waits for them.
    package mutating func prefetch(_ keys: some Sequence<TokenKey>, for peer: Peer, now: Instant) -> PrefetchCount {
        var count = PrefetchCount()
        for key in keys {
            if let slot = store.find(key), let entry = store[slot], now <= entry.life.preferredUntil,
                entry.life.isServable(at: now)
            {
                count.cached += 1
            } else if currentFlights[key.user]?[key.scopes] != nil {
                count.queued += 1
            } else if tenants[key.user.tenant] == nil || memories[key]?.refusal(at: now) != nil || prefetchesAreFull
                || (memories[key]?.wasReported ?? false) && takeForced(key, for: peer.uid, now: now) != nil
            {
                count.refused += 1
            } else {
                _ = plan(key, as: .prefetch, for: peer)
                count.queued += 1
            }
        }
        return count
    }

    private var prefetchesAreFull: Bool {
        tenants.values.reduce(0) { $0 + $1.governor.queuedPrefetches } >= Self.mostPrefetches
    }

    /// What a report of a refused token came to.
    package enum InvalidateAction: Sendable, Equatable {
        /// That very token was cached and is gone.
        case dropped
        /// It wasn't there.
        case unknown
        /// It has just taken the place of a reported one and stays; ask again after so many seconds.
        case tooYoung(retryAfter: Int)
    }

    /// An API has refused a token.
    package mutating func invalidate(_ key: TokenKey, _ fingerprint: Fingerprint, now: Instant) -> InvalidateAction {
        guard let slot = store.find(key), let entry = store[slot], entry.token.fingerprint == fingerprint else {
            return .unknown
        }
        let age = now - entry.life.sent
        if entry.replacedReported, age < Self.reportGrace {
            return .tooYoung(retryAfter: (Self.reportGrace - age).asRetryAfter)
        }
        store.remove(slot)
        statistics.evictions.invalidated += 1
        supersede(key)
        memories.change(key, now: now, limit: policy.maxEntries) { $0.report(now: now) }
        return .dropped
    }

    /// What becomes of a logout.
    package struct LogoutAction: Equatable {
        /// The answer; nil: it comes when the tenant has answered.
        package var reply: Reply?
        /// Callers who waited for a token of this user.
        package var deliveries: [Delivery] = []
    }

    /// A user has logged out: the cached tokens are dropped and revoked at the tenant.
    package mutating func revoke(
        _ user: UserKey,
        scopes: ScopeSet?,
        waiter: Waiter,
        for peer: Peer,
        now: Instant
    ) -> LogoutAction {
        let deliveries = endFlights(of: user, scopes: scopes, for: peer)
        let tokens = drop(user, scopes: scopes)
        statistics.evictions.revoked += tokens.count
        guard !tokens.isEmpty else {
            return LogoutAction(reply: .revoked(false, upstream: nil), deliveries: deliveries)
        }
        let deadline = now + TokenRequest.defaultTimeout
        let calls = tokens.map { planRevocation(of: $0.token, $0.key, logout: waiter, for: peer) }
        if let delay = tenants[user.tenant]?.governor.delay(of: calls.last, for: peer.uid, now: now),
            delay.until > deadline
        {
            return LogoutAction(reply: .revoked(true, upstream: false), deliveries: deliveries)
        }
        logouts[waiter] = Logout(open: tokens.count, deadline: deadline)
        planDeadline(of: waiter, at: deadline)
        return LogoutAction(deliveries: deliveries)
    }

    /// Plans the revocation of one token, as a caller's call.
    @discardableResult
    mutating func planRevocation(
        of token: EncodedToken,
        _ key: TokenKey,
        logout: Waiter?,
        for peer: Peer
    ) -> CallID {
        let call = newCall()
        revocations[call] = Revocation(user: key.user, scopes: key.scopes, token: token, peer: peer, logout: logout)
        tenants[key.user.tenant]?.governor.enqueue(call, as: .caller(peer.uid))
        return call
    }

    /// A call to revoke a token has come back.
    package mutating func revocationEnded(_ call: CallID, _ result: RevocationResult, now: Instant) -> [Delivery] {
        guard let revocation = revocations.removeValue(forKey: call) else { return [] }
        let tenant = revocation.tenant
        let wasBlocked = tenants[tenant]?.governor.blockedUntil(now)
        noteEnd(of: call, revocation, result, now: now)
        record(revocation, isRevoked: result == .taken)
        let isBlocked = tenants[tenant]?.governor.blockedUntil(now) != wasBlocked
        return answer(revocation, isTaken: result == .taken)
            + (isBlocked ? failCallersPastBlock(of: tenant, now: now) : [])
    }

    private mutating func noteEnd(
        of call: CallID,
        _ revocation: Revocation,
        _ result: RevocationResult,
        now: Instant
    ) {
        let (tenant, number) = (revocation.tenant, revocation.tenantNumber)
        switch result {
        case .taken: noteEnd(of: call, of: tenant, number, .success, now: now)
        case .refused: noteEnd(of: call, of: tenant, number, .answer, now: now)
        case .failed(let failure):
            noteHold(of: tenant, number, failure, now: now)
            noteEnd(of: call, of: tenant, number, ending(of: failure, tenant), now: now)
        }
    }

    mutating func record(_ revocation: Revocation, isRevoked: Bool) {
        let (fingerprint, scopes) = (revocation.token.fingerprint, revocation.scopes)
        records.append(
            AuditRecord(
                revocation.peer,
                .revocation(revocation.user, scopes, fingerprint, isRevoked: isRevoked)
            )
        )
    }

    private mutating func answer(_ revocation: Revocation, isTaken: Bool) -> [Delivery] {
        guard let waiter = revocation.logout, var logout = logouts[waiter] else { return [] }
        logout.open -= 1
        logout.allTaken = logout.allTaken && isTaken
        guard logout.open == 0 else {
            logouts[waiter] = logout
            return []
        }
        logouts[waiter] = nil
        return [Delivery(waiter: waiter, reply: .revoked(true, upstream: logout.allTaken))]
    }

    /// An operator drops a user's tokens, whatever they are.
    package mutating func evict(_ user: UserKey, scopes: ScopeSet?) {
        statistics.evictions.evicted += drop(user, scopes: scopes).count
        for (set, _) in currentFlights[user] ?? [:] where scopes ?? set == set {
            supersede(TokenKey(user: user, scopes: set))
        }
        memories.forget { key, _ in key.user == user && scopes ?? key.scopes == key.scopes }
    }

    /// An operator drops all tokens of a tenant, or of all.
    package mutating func flush(tenant: String?) -> Int {
        let before = store.count
        for slot in store.slots.indices where store.slots[slot].entry.map({ $0.isOf(tenant) }) ?? false {
            store.remove(slot)
        }
        let keys = currentFlights.flatMap { user, flights in flights.keys.map { TokenKey(user: user, scopes: $0) } }
        for key in keys where tenant ?? key.user.tenant == key.user.tenant { supersede(key) }
        memories.forget { key, _ in tenant ?? key.user.tenant == key.user.tenant }
        statistics.evictions.flushed += before - store.count
        return before - store.count
    }

    /// Raises a key's generation: what is under way for it goes to those who wait, and into no cache.
    mutating func supersede(_ key: TokenKey) {
        guard let call = currentFlights[key.user]?[key.scopes], let flight = flights[call] else { return }
        guard flight.sent != nil || flight.waiting > 0 else { return cancel(call) }
        flights[call]?.standing = .superseded
        detach(call, key)
    }

    private mutating func drop(_ user: UserKey, scopes: ScopeSet?) -> [Entry] {
        let slots = store.find(allOf: user).filter { scopes == nil || store[$0]?.key.scopes == scopes }
        return slots.compactMap { store.remove($0) }
    }

    /// Ends the mints of a user who logs out: those who wait get an error, and what is under way is revoked on arrival.
    private mutating func endFlights(of user: UserKey, scopes: ScopeSet?, for peer: Peer) -> [Delivery] {
        var deliveries: [Delivery] = []
        for (call, flight) in flights where flight.key.user == user && scopes ?? flight.key.scopes == flight.key.scopes
        {
            for waiter in flight.waiters where waiting[waiter]?.call == call {
                stopWaiting(waiter)
                deliveries.append(Delivery(waiter: waiter, reply: .error(.revokedMeanwhile)))
            }
            guard flight.sent != nil else {
                cancel(call)
                continue
            }
            flights[call]?.standing = .revoked(peer)
            detach(call, flight.key)
        }
        return deliveries
    }
}

extension Entry {
    fileprivate func isOf(_ tenant: String?) -> Bool { tenant == nil || key.user.tenant == tenant }
}
