package import TokenProtocol

/// Who waits: room for callers, the ends of waits, and the replies.
extension CacheStateMachine {
    /// Refusals are counted for so many uids; those that come later are not told apart.
    private static var mostCountedPeers: Int { 1_024 }
    /// So many of those who leave together are gone at once, the others some at a time: a thousand may have waited on each
    /// of many connections that close together.
    private static var leftAtOnce: Int { 32 }
    /// So many of one crowd get their replies before the next crowd's turn.
    private static var repliesPerTurn: Int { 64 }

    // MARK: Room

    /// Whether one more of a uid's may wait.
    ///
    /// While others wait, too, a uid's share is its bound; where all places are taken, one of a uid over its quota makes
    /// room for one that is below.
    func hasRoomToWait(for peer: PeerUID) -> Bool {
        let own = waiters.count(of: peer)
        guard own == waiters.count || own < waitingBound(contenders: 1) else { return false }
        guard waiters.count >= Self.mostWaiting else { return true }
        let bound = waitingBound(contenders: waiters.peerCount + (own == 0 ? 1 : 0))
        return own < bound && waiters.greediest.map { $0.count > bound } ?? false
    }

    private func waitingBound(contenders: Int) -> Int {
        Quota.bound(Self.mostWaiting, share: policy.waitingShare, contenders: contenders)
    }

    /// Where all places are taken, tells the last who came, of the uid that has the most, that there is no room; the mint
    /// goes on.
    mutating func makeRoomToWait(now: Instant) {
        guard waiters.count >= Self.mostWaiting, let (peer, _) = waiters.greediest, let id = waiters.last(of: peer)
        else { return }
        refuseByQuota(peer)
        endWait(id, .error(.tooManyWaiting), now: now)
    }

    mutating func refuseByQuota(_ peer: PeerUID) {
        guard overQuota[peer] != nil || overQuota.count < Self.mostCountedPeers else { return }
        overQuota[peer, default: 0] += 1
    }

    // MARK: Ends of waits

    /// Some who waited are gone; their mints go on.
    package mutating func leave(_ names: some Sequence<Waiter>, now: Instant) -> CacheActions {
        let names = Array(names)
        for name in names.prefix(Self.leftAtOnce) { leave(name, now: now) }
        if names.count > Self.leftAtOnce { add(.leave(names, next: Self.leftAtOnce)) }
        return finish(now, worksOff: names.count <= Self.leftAtOnce)
    }

    /// One who waited is gone.
    mutating func leave(_ name: Waiter, now: Instant) {
        if let id = waiters.find(name) { stopWaiting(id, now: now) }
    }

    /// Ends the waits whose time is over.
    mutating func endDueWaits(now: Instant) {
        for _ in 0..<sliceSize {
            guard let id = waiters.due(at: now) else { return }
            endWait(id, .error(.timedOut), now: now)
        }
    }

    /// Ends one wait with an answer, or with what the call has come to meanwhile.
    mutating func endWait(
        _ id: Waiters.ID,
        _ result: Settlements.Result,
        cancelsCall: Bool = false,
        now: Instant
    ) {
        guard let member = waiters[id] else { return }
        guard case .mint(let call, let acceptsStale) = member.goal else {
            stopWaiting(id, now: now)
            actions.deliveries.append(Delivery(waiter: member.waiter, reply: .revoked(true, upstream: false)))
            return
        }
        let settlement = settlements[call]
        guard let key = settlement?.key ?? calls[call]?.mint?.key else { return }
        stopWaiting(id, cancelsCall: cancelsCall, now: now)
        reply(to: member.waiter, settlement?.result ?? result, acceptsStale: acceptsStale, key, now: now)
    }

    /// Somebody waits no longer.
    private mutating func stopWaiting(_ id: Waiters.ID, cancelsCall: Bool = false, now: Instant) {
        guard let member = waiters[id] else { return }
        switch member.goal {
        case .mint(let call, _):
            if var list = settlements[call]?.waiters {
                waiters.remove(id, from: &list)
                settlements.update(call, list)
            } else if var list = calls[call]?.waiters {
                waiters.remove(id, from: &list)
                calls.update(call) { $0.waiters = list }
                if list.isEmpty { lastWaiterLeft(call, cancels: cancelsCall, now: now) }
            }
        case .logout(let open, _):
            var none = Waiters.List()
            waiters.remove(id, from: &none)
            for call in open {
                calls.update(call) { $0.revocation?.logout = nil }
                requeue(call, now: now)
            }
        }
        touch(member.tenant)
    }

    // MARK: Replies

    /// Hands what calls came to to those who waited, some at a time.
    ///
    /// - Parameter budget: How many; what is left of it afterwards.
    mutating func deliverSettlements(_ budget: inout Int, now: Instant) {
        while budget > 0, let call = settlements.first, let settlement = settlements[call] {
            var list = settlement.waiters
            for _ in 0..<min(budget, Self.repliesPerTurn) {
                guard let id = waiters.first(of: list), let member = waiters.remove(id, from: &list) else { break }
                touch(member.tenant)
                var acceptsStale = false
                if case .mint(_, let accepts) = member.goal { acceptsStale = accepts }
                reply(to: member.waiter, settlement.result, acceptsStale: acceptsStale, settlement.key, now: now)
                budget -= 1
            }
            settlements.update(call, list)
            if !list.isEmpty { settlements.rotate() }
        }
    }

    private mutating func reply(
        to waiter: Waiter,
        _ result: Settlements.Result,
        acceptsStale: Bool,
        _ key: TokenKey,
        now: Instant
    ) {
        let reply: Reply
        switch result {
        case .token(let token, let life) where life.left(at: now) >= TokenLife.leastServed:
            let left = life.left(at: now).wholeSeconds
            reply = .token(TokenReply(token: token, expiresIn: left, source: .tenant))
        case .token: reply = .error(.spentOnArrival)
        case .error(let error):
            let cached = acceptsStale ? store.find(key).flatMap { store[$0] } : nil
            let stale = cached.flatMap { $0.life.isServable(at: now) ? $0 : nil }
            reply = stale.map { .token(Self.reply($0, isStale: true, now: now)) } ?? .error(error)
        }
        actions.deliveries.append(Delivery(waiter: waiter, reply: reply))
    }

    /// The reply that hands a cached token out.
    static func reply(
        _ entry: Entry,
        isStale: Bool = false,
        meetsMinTTL: Bool = true,
        now: Instant
    ) -> TokenReply {
        TokenReply(
            token: entry.token,
            expiresIn: entry.life.left(at: now).wholeSeconds,
            source: .cache,
            isStale: isStale,
            meetsMinTTL: meetsMinTTL
        )
    }
}
