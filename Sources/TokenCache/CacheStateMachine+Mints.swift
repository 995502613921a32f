import TokenProtocol

/// Planning mints and sending them.
extension CacheStateMachine {
    /// The next call that is to be made now; ask until there is none.
    package mutating func nextCall(now: Instant) -> CallOrder? {
        for name in tenantNames {
            let someoneWaits = tenants[name].map { $0.waiting > 0 } ?? false
            while let call = tenants[name]?.governor.next(at: now, someoneWaits: someoneWaits) {
                if let order = order(for: call, now: now) { return order }
                // Nothing wants it any more: what it was given goes to the next one.
                tenants[name]?.governor.takeBack(call, now: now)
            }
        }
        return nil
    }

    private mutating func order(for call: CallID, now: Instant) -> CallOrder? {
        if let revocation = revocations[call] {
            revocations[call]?.tenantNumber = tenants[revocation.tenant]?.number
            return .revoke(call, tenant: revocation.tenant, revocation.token.accessToken)
        }
        guard let flight = flights[call] else { return nil }
        guard isWanted(flight, now: now) else {
            statistics.skippedIdle += 1
            finish(call, flight)
            return nil
        }
        statistics.started += 1
        flights[call]?.sent = now
        flights[call]?.tenantNumber = tenants[flight.key.user.tenant]?.number
        return .mint(call, flight.key)
    }

    /// Whether a call is still worth making: a refresh that had to wait is not, once its user is idle or its token gone.
    private func isWanted(_ flight: Flight, now: Instant) -> Bool {
        guard flight.isRefresh, flight.askedAt == nil else { return true }
        guard let slot = store.find(flight.key), let entry = store[slot] else { return false }
        return isInUse(entry, now: now)
    }

    /// Whether an entry is worth refreshing unasked: its token can be served, and somebody asked for it lately.
    func isInUse(_ entry: Entry, now: Instant) -> Bool {
        // After a suspend the time may be long past: then the entry is about to go, and a refresh would be unasked.
        guard let lastAsked = entry.lastAsked else { return false }
        return entry.life.isServable(at: now) && now - lastAsked <= policy.idleTTL && !entry.isUnusedRefresh
    }

    /// Plans a mint as the flight of its key.
    mutating func plan(
        _ key: TokenKey,
        as purpose: Governor.Purpose,
        for peer: Peer? = nil,
        askedAt: Instant? = nil
    ) -> CallID {
        let call = newCall()
        flights[call] = Flight(key: key, purpose: purpose, peer: peer, askedAt: askedAt)
        currentFlights[key.user, default: [:]][key.scopes] = call
        tenants[key.user.tenant]?.governor.enqueue(call, as: purpose)
        return call
    }

    /// Plans a refresh of a living token, unless one is under way or the key's last mint has just failed.
    mutating func planRefresh(of slot: Int, now: Instant) -> Bool {
        guard let entry = store[slot], currentFlights[entry.key.user]?[entry.key.scopes] == nil,
            memories[entry.key]?.refusal(at: now) == nil
        else { return false }
        statistics.refreshesDue += 1
        _ = plan(entry.key, as: .refresh(tokenEnds: entry.life.expiry, notBefore: nil))
        return true
    }

    // MARK: The end of a flight

    /// Takes a flight that has come back out of the tables.
    mutating func finish(_ call: CallID, _ flight: Flight) {
        flights[call] = nil
        detach(call, flight.key)
    }

    /// Takes a flight that has not been sent out of the queue and the tables.
    mutating func cancel(_ call: CallID) {
        guard let flight = flights[call] else { return }
        tenants[flight.key.user.tenant]?.governor.withdraw(call)
        finish(call, flight)
    }

    /// Raises the generation of a key: what this flight brings is no longer the key's.
    mutating func detach(_ call: CallID, _ key: TokenKey) {
        guard currentFlights[key.user]?[key.scopes] == call else { return }
        currentFlights[key.user]?[key.scopes] = nil
        if currentFlights[key.user]?.isEmpty == true { currentFlights[key.user] = nil }
    }

    /// Those who still wait for a flight, in the order in which they came; they wait no longer.
    mutating func waiters(of call: CallID, _ flight: Flight) -> [(waiter: Waiter, takes: Bool)] {
        flight.waiters.compactMap { waiter in
            guard waiting[waiter]?.call == call, let caller = stopWaiting(waiter) else { return nil }
            return (waiter, caller.takesLivingToken)
        }
    }

    /// Ends one caller's wait.
    @discardableResult
    mutating func stopWaiting(_ waiter: Waiter) -> WaitingCaller? {
        guard let caller = waiting.removeValue(forKey: waiter) else { return nil }
        noteEndOfWait(caller.peer)
        flights[caller.call]?.waiting -= 1
        tenants[caller.tenant]?.waiting -= 1
        return caller
    }

    /// What one caller gets where minting failed: the living token if it will do, else the error.
    mutating func fail(
        _ waiter: Waiter,
        takesLivingToken: Bool,
        _ error: ErrorReply,
        _ key: TokenKey,
        _ now: Instant
    ) -> Delivery {
        guard takesLivingToken, let slot = store.find(key), let living = Living(store, slot),
            living.life.isServable(at: now)
        else { return Delivery(waiter: waiter, reply: .error(error)) }
        return Delivery(waiter: waiter, reply: .token(living.reply(isStale: true, now: now)))
    }
}
