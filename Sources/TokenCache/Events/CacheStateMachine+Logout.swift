package import TokenProtocol

/// Logouts.
extension CacheStateMachine {
    /// Logs a user out: drops the cached tokens and revokes them at the tenant.
    ///
    /// - Returns: The reply, or nil if it comes when the tenant has answered.
    package mutating func revoke(
        _ user: UserKey,
        scopes: ScopeSet?,
        everywhere: Bool = false,
        waiter: Waiter,
        for peer: Peer,
        in trace: TraceContext? = nil,
        now: Instant
    ) -> Outcome<Reply?> {
        if everywhere, let error = everywhereError(user) { return finish(.error(error), now) }
        tenants[user.tenant]?.client.forget(user)
        logOut(user, scopes: scopes, for: peer, now: now)
        // Mints may be under way at a tenant that a reload has just replaced.
        let replaced = tenants.filter { $1.isRetired && $0.name == user.tenant.name }.keys
        for tenant in replaced.sorted(by: { $0.number < $1.number }) {
            logOut(UserKey(tenant: tenant, user: user.user), scopes: scopes, for: peer, now: now)
        }
        let entries = takeTokens(user, scopes: scopes)
        restoration.add(.revoke(scopes, peer), for: user)
        statistics.evictions.revoked += entries.count
        let deadline = now + TokenRequest.defaultTimeout
        let canWait = canAddWaiter(for: peer.uid)
        let waits = canWait && self.canWait(forRevocations: entries.count, at: user.tenant, peer, deadline, now: now)
        let rank: Governor.Rank? = waits ? .caller(peer.uid) : nil
        let calls = entries.compactMap {
            enqueueRevocation(of: $0.token, $0.key, until: $0.expiry, as: rank, for: peer, in: trace, now: now)
        }
        var logout = Logout(
            open: waits ? calls : [],
            allTaken: entries.isEmpty || waits && !calls.isEmpty,
            hasDropped: !entries.isEmpty
        )
        let fingerprints = entries.map(\.token.fingerprint)
        let drop = dropInFleet(.user(user, scopes), .logout(revoked: fingerprints), for: peer, now: now)
        if canWait { logout.drop = drop }
        if everywhere {
            // One that can't be waited for would revoke the tokens of a later login.
            let isWaitedFor = canWait && canWaitForAPI(of: user.tenant, peer, deadline, now: now)
            let job = isWaitedFor ? addSweep(of: user, for: peer, until: deadline, in: trace) : nil
            logout.sweep = job.map { .underWay($0) } ?? .ended(count: 0, isComplete: false)
        }
        guard !logout.isDone else { return finish(logout.reply(), now) }
        wait(waiter, logout, for: peer, at: user.tenant, until: deadline, now: now)
        // The request is not known to wait before this event is over, so its sweep begins with the next one.
        return Outcome(answer: nil, actions: finish(now, performsDeferredWork: !everywhere))
    }

    private mutating func wait(
        _ waiter: Waiter,
        _ logout: Logout,
        for peer: Peer,
        at tenant: TenantID,
        until deadline: Instant,
        now: Instant
    ) {
        evictWaiterIfFull(now: now)
        var none = Waiters.List()
        let goal = Waiters.Goal.logout(logout)
        let id = waiters.add(waiter, of: peer.uid, at: tenant, for: goal, since: now, until: deadline, to: &none)
        for call in logout.open { calls.update(call) { $0.revocation?.logout = id } }
        if let job = logout.job { provisioning.update(job) { $0.joinLogout(id) } }
        if let drop = logout.drop { fleet.setLogout(id, of: drop) }
    }

    /// Changes what a logout waits for, and answers it if there is nothing left.
    mutating func update(_ id: Waiters.ID, _ logout: Logout) {
        waiters.setGoal(.logout(logout), of: id)
        guard logout.isDone, let member = waiters[id] else { return }
        var none = Waiters.List()
        waiters.remove(id, from: &none)
        actions.deliveries.append(Delivery(waiter: member.waiter, reply: logout.reply()))
    }

    /// True if some revocations of a logout can be sent in time.
    private func canWait(
        forRevocations count: Int,
        at tenant: TenantID,
        _ peer: Peer,
        _ deadline: Instant,
        now: Instant
    ) -> Bool {
        guard count > 0, let state = tenants[tenant] else { return false }
        let delay = state.governor.delay(of: nil, for: peer.uid, behind: count - 1, now: now)
        return delay.map { $0.until < deadline } ?? true
    }

    /// Queues the revocation of a token.
    ///
    /// - Parameter rank: The rank, or nil if nobody waits for it.
    /// - Returns: The call, or nil if the token is not revoked: there are too many, or the tenant is gone.
    @discardableResult
    mutating func enqueueRevocation(
        of token: GrantedToken,
        _ key: TokenKey,
        until expiry: Instant,
        as rank: Governor.Rank?,
        for peer: Peer?,
        in trace: TraceContext? = nil,
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
            var traces = CallTraces()
            if let trace { traces.add(trace, waits: false) }
            record(peer, revocation, .dropped, traces)
            return nil
        }
        let rank = rank ?? .background(tokenEnds: expiry, urgentFrom: nil, notBefore: nil)
        let call = enqueue(.revocation(revocation), at: key.user.tenant, as: rank, for: peer)
        note(trace, of: call, waits: false)
        guard revocationEnds.count > Self.maxRevocations, let soonest = revocationEnds.min?.payload else {
            return call
        }
        if calls[soonest]?.sent == nil { end(soonest, .overLimit, now: now) }
        return calls[call] == nil ? nil : call
    }

    /// Ends the mints of a user who logs out, so that tokens of mints under way are revoked on arrival.
    private mutating func logOut(_ user: UserKey, scopes: ScopeSet?, for peer: Peer, now: Instant) {
        endMints(of: user, scopes: scopes, as: .revoked(peer), .loggedOut, .revokedMeanwhile, now: now)
    }

    /// Ends the mints of a user or of a client, whose waiters get an error.
    ///
    /// - Parameters:
    ///   - fate: The use of the tokens of mints under way.
    ///   - end: The end of mints that were not sent.
    ///   - fence: The fence up to which mints are concerned, or nil for all.
    mutating func endMints(
        of user: UserKey,
        scopes: ScopeSet?,
        as fate: Mint.Fate,
        _ end: CallEnd,
        _ error: ErrorReply,
        upTo fence: FleetFence? = nil,
        now: Instant
    ) {
        completions.revoke(user, scopes: scopes, error)
        for id in calls.mints(of: user) {
            guard let call = calls[id], let mint = call.mint, scopes ?? mint.key.scopes == mint.key.scopes,
                fence.map({ mint.fleet.fence <= $0 }) ?? true
            else { continue }
            guard call.sent != nil else {
                self.end(id, end, now: now)
                continue
            }
            complete(call, .error(error))
            calls.update(id) {
                $0.waiters = Waiters.List()
                // A token that is to be revoked stays so.
                if fate != .superseded || mint.fate == .current { $0.mint?.fate = fate }
            }
        }
    }
}
