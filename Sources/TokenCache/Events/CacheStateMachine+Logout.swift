package import Secrets
package import TokenProtocol

/// Reports of refused tokens, logouts, evictions and flushes.
extension CacheStateMachine {
    /// A token that took a reported one's place is not dropped again within this: those who report late mean the old one.
    static var reportGrace: Duration { .seconds(10) }

    /// An API has refused a token.
    package mutating func invalidate(
        _ key: TokenKey,
        _ fingerprint: Fingerprint,
        now: Instant
    ) -> Outcome<InvalidateAnswer> {
        guard let slot = store.find(key), let entry = store[slot], entry.token.fingerprint == fingerprint else {
            return finish(.unknown, now)
        }
        let age = now - entry.life.sent
        if entry.replacedReported, age < Self.reportGrace {
            return finish(.tooYoung(retryAfter: (Self.reportGrace - age).asRetryAfter), now)
        }
        store.remove(slot)
        statistics.evictions.invalidated += 1
        if let call = currentCall(of: key) { supersede(call, now: now) }
        changeNegative(key, now: now) { $0.noteReport(now: now) }
        return finish(.dropped, now)
    }

    // MARK: Logouts

    /// A user has logged out: the cached tokens are dropped and revoked at the tenant.
    ///
    /// - Returns: The answer; nil: it comes when the tenant has answered.
    package mutating func revoke(
        _ user: UserKey,
        scopes: ScopeSet?,
        waiter: Waiter,
        for peer: Peer,
        now: Instant
    ) -> Outcome<Reply?> {
        tenants[user.tenant]?.client.forget(user)
        endMints(of: user, scopes: scopes, for: peer, now: now)
        // Mints may be under way at a tenant that a reload has just replaced.
        let replaced = tenants.filter { $1.isRetired && $0.name == user.tenant.name }.keys
        for tenant in replaced.sorted(by: { $0.number < $1.number }) {
            endMints(of: UserKey(tenant: tenant, user: user.user), scopes: scopes, for: peer, now: now)
        }
        let entries = drop(user, scopes: scopes)
        statistics.evictions.revoked += entries.count
        guard !entries.isEmpty else { return finish(.revoked(false, upstream: nil), now) }
        let deadline = now + TokenRequest.defaultTimeout
        let waits = canWait(forRevocations: entries.count, at: user.tenant, peer, until: deadline, now: now)
        let rank: Governor.Rank? = waits ? .caller(peer.uid) : nil
        let calls = entries.compactMap {
            planRevocation(of: $0.token, $0.key, until: $0.life.expiry, as: rank, for: peer, now: now)
        }
        guard waits, !calls.isEmpty else { return finish(.revoked(true, upstream: false), now) }
        makeRoomToWait(now: now)
        var none = Waiters.List()
        let goal = Waiters.Goal.logout(open: calls, allTaken: true)
        let id = waiters.add(waiter, of: peer.uid, at: user.tenant, for: goal, until: deadline, to: &none)
        for call in calls { self.calls.update(call) { $0.revocation?.logout = id } }
        return finish(nil, now)
    }

    /// Whether a logout may wait for so many revocations, and they can go before its time is over.
    private func canWait(
        forRevocations count: Int,
        at tenant: TenantID,
        _ peer: Peer,
        until deadline: Instant,
        now: Instant
    ) -> Bool {
        guard let governor = tenants[tenant]?.governor, hasRoomToWait(for: peer.uid) else { return false }
        let delay = governor.delay(of: nil, for: peer.uid, behind: count - 1, now: now)
        return delay.map { $0.until < deadline } ?? true
    }

    /// Plans the revocation of one token; nil: there are too many, or the tenant is gone, and this one is not revoked.
    ///
    /// - Parameter rank: nil: nobody waits for it.
    @discardableResult
    private mutating func planRevocation(
        of token: EncodedToken,
        _ key: TokenKey,
        until expiry: Instant,
        as rank: Governor.Rank?,
        for peer: Peer,
        now: Instant
    ) -> CallID? {
        let id = calls.nextID(serial: lastSerial + 1)
        let revocation = Revocation(
            user: key.user,
            scopes: key.scopes,
            token: token,
            expiry: expiry,
            timer: revocationEnds.insert(id, at: expiry)
        )
        guard tenants[key.user.tenant]?.isRetired == false else {
            revocationEnds.remove(revocation.timer)
            record(peer, revocation, .dropped)
            return nil
        }
        let rank = rank ?? .background(tokenEnds: expiry, urgentFrom: nil, notBefore: nil)
        let call = plan(.revocation(revocation), at: key.user.tenant, as: rank, for: peer)
        guard revocationEnds.count > Self.mostRevocations, let soonest = revocationEnds.min?.payload else {
            return call
        }
        if calls[soonest]?.sent == nil { end(soonest, .noRoom, now: now) }
        return calls[call] == nil ? nil : call
    }

    /// A token has come for a user who has logged out meanwhile.
    mutating func revokeLate(
        _ token: EncodedToken,
        _ life: TokenLife,
        _ call: Call,
        _ mint: Mint,
        for peer: Peer,
        now: Instant
    ) {
        planRevocation(of: token, mint.key, until: life.expiry, as: nil, for: peer, now: now)
    }

    /// Ends the mints of a user who logs out: those who wait get an error, and what is under way is revoked on arrival.
    private mutating func endMints(of user: UserKey, scopes: ScopeSet?, for peer: Peer, now: Instant) {
        settlements.revoke(user, scopes: scopes, .revokedMeanwhile)
        for id in calls.mints(of: user) {
            guard let call = calls[id], let mint = call.mint, scopes ?? mint.key.scopes == mint.key.scopes else {
                continue
            }
            guard call.sent != nil else {
                end(id, .loggedOut, now: now)
                continue
            }
            settle(call, .error(.revokedMeanwhile))
            calls.update(id) {
                $0.waiters = Waiters.List()
                $0.mint?.fate = .revoked(peer)
            }
        }
    }

    private mutating func drop(_ user: UserKey, scopes: ScopeSet?) -> [Entry] {
        let slots = store.find(allOf: user).filter { scopes == nil || store[$0]?.key.scopes == scopes }
        return slots.compactMap { store.remove($0) }
    }

    // MARK: Operators

    /// An operator drops a user's tokens, whatever they are.
    package mutating func evict(_ user: UserKey, scopes: ScopeSet?, now: Instant) -> CacheActions {
        tenants[user.tenant]?.client.forget(user)
        statistics.evictions.evicted += drop(user, scopes: scopes).count
        for id in calls.mints(of: user) {
            guard let call = calls[id], let mint = call.mint, scopes ?? mint.key.scopes == mint.key.scopes,
                mint.fate == .current
            else { continue }
            supersede(id, now: now)
        }
        negatives.forget(user, scopes: scopes)
        return finish(now)
    }

    /// An operator drops all tokens of a tenant, or of all.
    ///
    /// - Returns: How many.
    package mutating func flush(tenant: TenantID?, now: Instant) -> Outcome<Int> {
        let count = (tenant.map { [$0] } ?? configured).reduce(0) { $0 + flush($1) }
        return finish(count, now)
    }

    /// Raises the generation of all of a tenant's keys; what is of no use any more is freed some at a time.
    mutating func flush(_ tenant: TenantID) -> Int {
        let count = store.flush(tenant, upTo: lastSerial)
        negatives.flush(tenant, upTo: lastSerial)
        statistics.evictions.flushed += count
        add(.flush(FlushSweep(tenant, upTo: lastSerial)))
        return count
    }
}
