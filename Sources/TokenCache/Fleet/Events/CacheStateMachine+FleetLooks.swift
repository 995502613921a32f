import TokenProtocol

/// Looks at the second level, which has the tokens of all machines.
extension CacheStateMachine {
    // MARK: What is demanded

    /// Notes a mint that is being queued, which is looked up at the end of the event unless it is claimed by then.
    mutating func noteQueued(_ call: inout Call) {
        guard fleet.isConnected(call.tenant), let mint = call.mint, mint.isShared else { return }
        var mine = mint.fleet
        let entry = store.find(mint.key)
        mine.asked = fleet[call.tenant].clock
        if mint.refresh != nil {
            mine.newerThan = entry.map { store.fence(of: $0) }
        } else {
            let negative = negatives[mint.key]
            mine.newerThan = negative?.report == nil ? nil : negative?.reportedFence
            mine.verifies = entry.map { store.isSuspect($0) } ?? false
        }
        call.mint?.fleet = mine
        fleet.noteQueued(call.id)
    }

    /// Notes what a caller demands of the token that is looked for.
    mutating func demand(_ options: RequestOptions, of id: CallID, isNew: Bool) {
        guard let key = calls[id]?.mint?.key, fleet.isConnected(key.user.tenant) else { return }
        calls.update(id) {
            $0.mint?.fleet.require(options)
            guard isNew, options.noCache else { return }
            $0.mint?.fleet.newerThan = .highest
            $0.mint?.fleet.ignoresRefusal = true
            $0.mint?.fleet.verifies = false
        }
    }

    /// True if a request that can't wait for a call may still wait for a look at the second level.
    func mayLookUp(_ key: TokenKey, _ call: Call?, _ options: RequestOptions, now: Instant) -> Bool {
        guard fleet.isConnected(key.user.tenant), !key.user.isClient, options.timeout > .zero else { return false }
        if let call, call.mint?.isShared != true || !fleet.isLookedUp(call.id) { return false }
        return mintLimit(key, options, joins: call != nil, now: now) == nil
    }

    /// True if an entry is looked up before it is served.
    func isSuspect(_ entry: Entry) -> Bool {
        store.hasRestrictions && fleet.isConnected(entry.key.user.tenant) && store.isSuspect(entry.slot)
    }

    // MARK: Looks that take nothing

    /// Looks up the mints that were queued in this event and have not been claimed.
    mutating func lookUpQueued() {
        for id in fleet.takeQueued() { peek(id) }
    }

    /// Looks a queued or waiting mint up, unless that is under way.
    mutating func peek(_ id: CallID) {
        guard let call = calls[id], let mint = call.mint, mint.isShared, fleet.isConnected(call.tenant),
            !fleet.isLookedUp(id)
        else { return }
        switch call.phase {
        case .queued, .yielding: break
        case .sent, .pausing, .claiming: return
        }
        guard fleet[call.tenant].admitsPeek(of: id) else { return }
        order(call, mint, .peek)
    }

    /// Looks the next call up, as a look was answered.
    mutating func peekNext(of tenant: TenantID) {
        guard fleet.isConnected(tenant) else { return }
        while let next = fleet[tenant].takeWaitingPeek() {
            peek(next)
            if fleet.isLookedUp(next) { return }
        }
    }

    /// Looks the waiting mints of a tenant up, as the second level answers again, or another process of it does.
    mutating func lookUpCalls(of tenant: TenantID, from start: Int, _ budget: inout Int) -> DeferredWork? {
        var next = start
        while next < calls.indices.upperBound {
            guard budget > 0 else { return .lookUp(tenant, next: next) }
            if let call = calls.call(at: next), call.tenant == tenant { peek(call.id) }
            next += 1
            budget -= 1
        }
        return nil
    }

    // MARK: Looks that take a lease

    /// Asks the second level before a call is sent that the governor lets go.
    mutating func claim(_ call: Call, _ started: Governor.Started) {
        calls.move(call.id, to: .claiming(started))
        // A look that is under way is awaited, so that each call has one at a time.
        if !fleet.isLookedUp(call.id) { claim(call.id) }
    }

    /// Takes the lease of a mint, or pays for another call.
    mutating func claim(_ id: CallID) {
        guard let call = calls[id] else { return }
        guard let mint = call.mint, mint.isShared, mint.fleet.lease?.fence == nil else { return pay(for: call) }
        order(call, mint, .claim(nonce: mint.fleet.lease?.nonce ?? newNonce()))
    }

    /// Pays for a call that takes no lease.
    mutating func pay(for call: Call) {
        let reserve = reserve(for: call)
        let payment = FleetLookUp(tenant: call.tenant, key: nil, purpose: .payment, isReserved: reserve > 0)
        fleet.expect(call.id, payment)
        actions.fleetOrders.append(.pay(call.id, call.tenant, reserve: reserve))
    }

    private mutating func order(_ call: Call, _ mint: Mint, _ purpose: FleetLookUp.Purpose) {
        var look = FleetLook(
            key: mint.key,
            minLeft: mint.fleet.minLeft,
            newerThan: mint.fleet.newerThan,
            ignoresRefusal: mint.fleet.ignoresRefusal
        )
        let reserve = reserve(for: call)
        if case .claim(let nonce) = purpose { look.claim = FleetClaim(nonce: nonce, reserve: reserve) }
        let clock = fleet[call.tenant].clock
        calls.update(call.id) { $0.mint?.fleet.asked = clock }
        let expected = FleetLookUp(tenant: call.tenant, key: mint.key, purpose: purpose, isReserved: reserve > 0)
        fleet.expect(call.id, expected)
        actions.fleetOrders.append(.look(call.id, look))
    }

    /// Returns the calls that the fleet's bucket must still have after a call.
    ///
    /// A round leaves half of the burst to callers, as in the bucket of a single machine.
    private func reserve(for call: Call) -> Double {
        guard let mint = call.mint, mint.round != nil, call.waiters.isEmpty else { return 0 }
        return Double((tenants[call.tenant]?.governor.limits.burst ?? 0) / 2)
    }
}

extension FleetFence {
    /// The fence that no token is above, for a look that finds none.
    static let highest = FleetFence(.max)
}
