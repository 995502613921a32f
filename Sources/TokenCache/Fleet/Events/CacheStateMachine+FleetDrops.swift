import TokenProtocol

/// Drops of tokens that this machine makes on all machines.
extension CacheStateMachine {
    /// Drops tokens on the other machines, too, now or when the second level answers again.
    ///
    /// - Parameter isRemembered: True if it is repeated where it may have been lost. A report of a token that this machine
    ///   doesn't have is not, as any app may make as many as it likes.
    /// - Returns: The drop whose answer can be waited for, or nil if there is none.
    @discardableResult
    mutating func dropInFleet(
        _ target: FleetDrop.Target,
        _ reason: FleetDrop.Reason,
        isRemembered: Bool = true,
        for peer: Peer? = nil,
        now: Instant
    ) -> FleetDropID? {
        let drop = FleetDrop(target, reason)
        let tenant = drop.tenant
        guard fleet.isOn, !drop.isOfClient, tenants[tenant]?.isRetired == false else { return nil }
        let (id, isSent) = (FleetDropID(newSerial()), fleet.isConnected(tenant))
        if isRemembered { fleet[tenant].drops.add(id, drop, isSent: isSent, now: now) }
        guard isSent else { return nil }
        send(id, FleetState.OpenDrop(drop: drop, isRepeated: false, peer: peer))
        return id
    }

    private mutating func send(_ id: FleetDropID, _ open: FleetState.OpenDrop) {
        fleet.expect(id, open)
        fleet.statistics.dropsSent += 1
        actions.fleetOrders.append(.drop(id, open.drop))
    }

    /// Repeats drops that the engine's present process hasn't noted.
    mutating func repeatDrops(of tenant: TenantID) {
        guard fleet.isConnected(tenant), let epoch = fleet[tenant].epoch else { return }
        while let (id, drop) = fleet[tenant].drops.takeNext(for: epoch) {
            send(id, FleetState.OpenDrop(drop: drop, isRepeated: true))
        }
    }

    // MARK: Answers

    /// Takes the answer to a drop, or nil if there was none.
    package mutating func fleetDropAnswered(
        _ id: FleetDropID,
        _ answer: FleetDropAnswer?,
        now: Instant
    ) -> CacheActions {
        guard let open = fleet.takeDrop(id) else { return finish(now) }
        if let answer { noted(id, open, answer) } else { failed(id, open, now: now) }
        let tokens = answer?.tokens.filter { !open.drop.revokes($0.token.token) } ?? []
        complete(open, tokens, now: now)
        return finish(now)
    }

    private mutating func noted(_ id: FleetDropID, _ open: FleetState.OpenDrop, _ answer: FleetDropAnswer) {
        let tenant = open.drop.tenant
        fleet[tenant].noteDrop(answer.fence)
        _ = fleet[tenant].drops.noted(id, answer.fence, epoch: answer.epoch, wasRepeated: open.isRepeated)
        repeatDrops(of: tenant)
    }

    private mutating func failed(_ id: FleetDropID, _ open: FleetState.OpenDrop, now: Instant) {
        let tenant = open.drop.tenant
        fleet.statistics.failed += 1
        let isLate = fleet[tenant].drops.failed(id, wasRepeated: open.isRepeated)
        // The engine answers again, and other machines may still serve what the drop concerns.
        if isLate { repeatDrops(of: tenant) }
        guard !fleet[tenant].repeatsDrops else { return }
        fleet[tenant].repeatsDrops = true
        _ = fleet.setTimer(.drops(tenant), at: now + FleetDrops.pause)
    }

    /// Revokes the tokens that only the second level had, and lets the logout go on that waits for the answer.
    private mutating func complete(_ open: FleetState.OpenDrop, _ tokens: [FleetStoredToken], now: Instant) {
        let member = open.logout.flatMap { waiters[$0] }
        let rank = member.map { Governor.Rank.caller($0.peer) }
        let dropped = tokens.filter { stored in
            // Other machines that have it claim it later, and leave it to this one.
            claimRevocation(newClaim(), of: stored.token.token, stored.key.user.tenant)
            return !isCached(stored)
        }
        let calls = dropped.compactMap { stored in
            enqueueRevocation(
                of: stored.token.token,
                stored.key,
                until: stored.token.expiry,
                as: rank,
                for: open.peer,
                now: now
            )
        }
        guard let logout = open.logout, case .logout(var state)? = member?.goal else { return }
        state.drop = nil
        state.open += calls
        state.hasDropped = state.hasDropped || !dropped.isEmpty
        state.allTaken = state.allTaken && calls.count == dropped.count
        for call in calls { self.calls.update(call) { $0.revocation?.logout = logout } }
        update(logout, state)
    }

    /// True if this machine has cached a token since it has made the drop that took it: the user has logged in again.
    private func isCached(_ stored: FleetStoredToken) -> Bool {
        store.find(stored.key).map { store.hasToken($0, stored.token.token.fingerprint) } ?? false
    }

    // MARK: Revocations

    /// Returns an ID whose slot no call has.
    mutating func newClaim() -> CallID { CallID(slot: -1, serial: newSerial()) }

    /// Asks if this machine is the one that revokes a token.
    private mutating func claimRevocation(_ id: CallID, of token: GrantedToken, _ tenant: TenantID) {
        actions.fleetOrders.append(.claimRevocation(id, tenant, token.fingerprint))
    }

    /// Revokes a token that other machines may have, too, unless one of them does.
    ///
    /// The machine that has logged the user out comes first, as its caller waits for the tenant's answer.
    mutating func revokeOnce(_ dropped: DroppedToken, now: Instant) {
        guard fleet.isConnected(dropped.key.user.tenant) else { return revoke(dropped, now: now) }
        let id = newClaim()
        fleet.expect(id, dropped)
        _ = fleet.setTimer(.claim(id), at: now + FleetDrops.claimPause)
    }

    /// Claims a token that a logout has left to whoever has it.
    mutating func claimLeftToken(_ id: CallID, now: Instant) {
        guard let dropped = fleet.claimedToken(id) else { return }
        let tenant = dropped.key.user.tenant
        if fleet.isConnected(tenant) { return claimRevocation(id, of: dropped.token, tenant) }
        if let dropped = fleet.takeToken(id) { revoke(dropped, now: now) }
    }

    /// Takes the answer to the question if this machine revokes a token that several have.
    package mutating func revocationClaimed(_ id: CallID, _ isOurs: Bool, now: Instant) -> CacheActions {
        if let dropped = fleet.takeToken(id), isOurs { revoke(dropped, now: now) }
        return finish(now)
    }

    private mutating func revoke(_ dropped: DroppedToken, now: Instant) {
        enqueueRevocation(of: dropped.token, dropped.key, until: dropped.expiry, as: nil, for: nil, now: now)
    }
}

extension FleetDrop {
    /// True if it is about the own tokens of a further client, which are not shared.
    fileprivate var isOfClient: Bool {
        switch target {
        case .tenant: false
        case .user(let user, _): user.isClient
        case .reported(let key, _): key.user.isClient
        }
    }

    /// True if the sender of a logout revokes a token itself.
    func revokes(_ token: GrantedToken) -> Bool {
        guard case .logout(let revoked) = reason else { return false }
        return revoked.contains(token.fingerprint)
    }
}
