package import TokenProtocol

/// Requests for tokens, and prefetches.
extension CacheStateMachine {
    /// A token that a caller can have at once and without anything else to be done; nil: ask by
    /// ``request(_:_:waiter:now:)``.
    ///
    /// - Parameters:
    ///   - tenant: The tenant.
    ///   - field: How the user is named.
    ///   - user: The user's name.
    ///   - scopes: The scopes.
    ///   - minTTL: What must be left; nil: the configured preference.
    ///   - peer: Who asks.
    package mutating func hit(
        _ tenant: TenantID,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet,
        minTTL: Duration?,
        for peer: PeerUID,
        now: Instant
    ) -> TokenReply? {
        guard let slot = store.find(tenant, field, user, scopes), let entry = store.slots[slot].entry,
            entry.policyNumber == store.policyNumber
        else { return nil }
        let verdict = entry.life.verdict(at: now, minTTL: minTTL)
        guard verdict == .serve || verdict == .serveUnmet else { return nil }
        store.touch(slot, entry, at: now, by: peer)
        statistics.hits += 1
        return TokenReply(
            token: entry.token,
            expiresIn: entry.life.left(at: now).wholeSeconds,
            source: .cache,
            meetsMinTTL: verdict == .serve
        )
    }

    /// A caller asks for a token.
    package mutating func request(
        _ key: TokenKey,
        _ options: RequestOptions,
        waiter: Waiter,
        now: Instant
    ) -> Outcome<RequestAnswer> {
        let slot = store.find(key)
        if let slot {
            applyPolicy(to: slot)
            if let entry = store[slot] { store.touch(slot, entry, at: now, by: options.peer.uid) }
        }
        let entry = slot.flatMap { store[$0] }
        let judgement = judge(key, entry, options, now: now)
        let stale = judgement.mayServeStale ? entry : nil
        switch judgement.verdict {
        case .serve(let meetsMinTTL):
            return finish(serve(entry, meetsMinTTL: meetsMinTTL, now), now)
        case .serveAndRefresh:
            let isPlanned = slot.map { planRefresh(of: $0, now: now) } ?? false
            return finish(serve(entry, andRefreshes: isPlanned, now), now)
        case .negative(let error):
            statistics.negatives += stale == nil ? 1 : 0
            return finish(refuse(error, stale, now), now)
        case .paced(let error): return finish(refuse(error, stale, now), now)
        case .mint:
            let error = mint(key, options, acceptsStale: stale != nil, waiter, now: now)
            return finish(error.map { refuse($0, stale, now) } ?? .wait, now)
        }
    }

    private mutating func serve(
        _ entry: Entry?,
        meetsMinTTL: Bool = true,
        andRefreshes: Bool = false,
        _ now: Instant
    ) -> RequestAnswer {
        guard let entry else { return .refuse(.tenantRemoved) }
        statistics.hits += 1
        let reply = Self.reply(entry, meetsMinTTL: meetsMinTTL, now: now)
        return andRefreshes ? .serveAndRefresh(reply) : .serve(reply)
    }

    private mutating func refuse(_ error: ErrorReply, _ stale: Entry?, _ now: Instant) -> RequestAnswer {
        guard let stale else { return .refuse(error) }
        statistics.hits += 1
        return .serve(Self.reply(stale, isStale: true, now: now))
    }

    /// Joins a caller to the mint of a key, which is planned if there is none; an error: the caller can't wait.
    private mutating func mint(
        _ key: TokenKey,
        _ options: RequestOptions,
        acceptsStale: Bool,
        _ waiter: Waiter,
        now: Instant
    ) -> ErrorReply? {
        let peer = options.peer
        let present = currentCall(of: key)
        let waits = options.timeout > .zero
        guard waits ? hasRoomToWait(for: peer.uid) : present != nil || hasRoomToPrefetch(for: peer.uid) else {
            refuseByQuota(peer.uid)
            return .tooManyWaiting
        }
        if present == nil, calls.mints(of: key.user).count >= Self.mostMintsPerUser { return .tooManyWaiting }
        if present == nil, let until = takeForced(key, isForced: options.noCache, for: peer.uid, now: now) {
            return .forcedTooOften(until: until, now: now)
        }
        if waits { makeRoomToWait(now: now) } else if present == nil { makeRoomToPrefetch(for: peer.uid, now: now) }
        // Whoever had to make room may have been the last who waited for this very mint.
        let call = currentCall(of: key)
        let joined: CallID
        if let call {
            statistics.coalesced += 1
            calls.update(call) { $0.mint?.askedAt = now }
            calls.update(call) { $0.mint?.owner = peer.uid }
            if waits { promote(call, for: peer.uid) }
            joined = call
        } else {
            statistics.misses += 1
            let rank: Governor.Rank = waits ? .caller(peer.uid) : .prefetch(peer.uid)
            joined = plan(key, .caller, as: rank, for: peer, askedAt: now)
        }
        guard waits, var list = calls[joined]?.waiters else { return .timedOut }
        _ = waiters.add(
            waiter,
            of: peer.uid,
            at: key.user.tenant,
            for: .mint(joined, acceptsStale: acceptsStale),
            until: now + options.timeout,
            to: &list
        )
        calls.update(joined) { $0.waiters = list }
        return nil
    }

    /// Where a mint is forced, by `no_cache` or by a report of the last token, it is paid for by who asks, too; a time:
    /// that peer's allowance is empty until then.
    private mutating func takeForced(_ key: TokenKey, isForced: Bool, for peer: PeerUID, now: Instant) -> Instant? {
        let isReported = negatives[key]?.report == .unpaid
        guard isForced || isReported else { return nil }
        if let until = tenants[key.user.tenant]?.governor.takeForced(for: peer, now: now) { return until }
        // If it fails, those who try again pay nothing more.
        if isReported { changeNegative(key, now: now) { $0.report = .paid } }
        return nil
    }

    /// Changes what is remembered of a key besides its token.
    mutating func changeNegative(_ key: TokenKey, now: Instant, _ change: (inout NegativeEntry) -> Void) {
        negatives.change(key, serial: newSerial(), now: now, limit: policy.maxEntries, change)
    }

    // MARK: Prefetches

    /// Plans mints before anyone waits for them.
    package mutating func prefetch(
        _ keys: some Sequence<TokenKey>,
        for peer: Peer,
        now: Instant
    ) -> Outcome<PrefetchCount> {
        var count = PrefetchCount()
        let options = RequestOptions(timeout: .zero, peer: peer)
        for key in keys {
            switch judge(key, store.find(key).flatMap { store[$0] }, options, now: now).verdict {
            case .serve, .serveAndRefresh: count.cached += 1
            case .negative: count.refused += 1
            case .mint, .paced:
                if currentCall(of: key) != nil || planPrefetch(key, for: peer, now: now) {
                    count.queued += 1
                } else {
                    count.refused += 1
                }
            }
        }
        return finish(count, now)
    }

    private mutating func planPrefetch(_ key: TokenKey, for peer: Peer, now: Instant) -> Bool {
        guard hasRoomToPrefetch(for: peer.uid), calls.mints(of: key.user).count < Self.mostMintsPerUser,
            takeForced(key, isForced: false, for: peer.uid, now: now) == nil
        else { return false }
        makeRoomToPrefetch(for: peer.uid, now: now)
        _ = plan(key, .prefetch, as: .prefetch(peer.uid), for: peer)
        return true
    }

    /// Whether a uid may have one more mint queued that nobody waits for.
    ///
    /// A uid alone may use all places; while others have some, its share is its bound, and where all are taken the one
    /// that has the most gives way.
    func hasRoomToPrefetch(for peer: PeerUID) -> Bool {
        let (own, total) = (prefetchCount(of: peer), prefetchCount)
        guard own == total || own < prefetchBound(contenders: 1) else { return false }
        guard total >= Self.mostPrefetches else { return true }
        return own < prefetchBound(contenders: prefetchers.count + (own == 0 ? 1 : 0)) && own < total
    }

    /// Where all places are taken, drops the last prefetch of the uid that has the most.
    mutating func makeRoomToPrefetch(for peer: PeerUID, now: Instant) {
        guard prefetchCount >= Self.mostPrefetches else { return }
        let greediest = prefetchers.filter { $0 != peer }.max {
            (prefetchCount(of: $0), $0) < (prefetchCount(of: $1), $1)
        }
        guard let greediest else { return }
        let last = tenants.values.compactMap { $0.governor.lastPrefetch(of: greediest) }.max()
        guard let last else { return }
        refuseByQuota(greediest)
        end(last, .noRoom, now: now)
    }

    private func prefetchBound(contenders: Int) -> Int {
        Quota.bound(Self.mostPrefetches, share: policy.waitingShare, contenders: contenders)
    }

    private var prefetchCount: Int { tenants.values.reduce(0) { $0 + $1.governor.queuedPrefetches } }

    private func prefetchCount(of peer: PeerUID) -> Int {
        tenants.values.reduce(0) { $0 + $1.governor.queuedPrefetches(of: peer) }
    }

    private var prefetchers: Set<PeerUID> {
        tenants.values.reduce(into: []) { $0.formUnion($1.governor.prefetchers) }
    }
}
