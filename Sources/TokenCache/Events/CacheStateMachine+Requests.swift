package import TokenProtocol

/// Requests for tokens.
extension CacheStateMachine {
    /// Answers a request with a cached token if nothing else has to be done, or returns false: then call
    /// ``request(_:_:waiter:now:)``.
    ///
    /// - Parameters:
    ///   - tenant: The tenant.
    ///   - field: The field that identifies the user.
    ///   - user: The user's name.
    ///   - scopes: The scopes.
    ///   - minTTL: The minimum time left, or nil for the configured preference.
    ///   - peer: The uid of the caller.
    ///   - now: The current time.
    ///   - id: The JSON text of the request's id, empty if it has none.
    ///   - output: The reply and its line end are appended to it.
    package mutating func answerHit(
        _ tenant: TenantID,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet,
        minTTL: Duration?,
        for peer: PeerUID,
        now: Instant,
        id: borrowing Span<UInt8>,
        into output: inout OutputBuffer
    ) -> Bool {
        guard let slot = store.findHit(tenant, field, user, scopes) else { return false }
        let time = store.time(of: now)
        let (age, ages) = (store.age(of: slot, at: time), store.ages(of: slot))
        let verdict = ages.verdict(at: age, minTTL: minTTL?.nanosecondsRoundedUp)
        guard verdict == .serve || verdict == .serveUnmet else { return false }
        store.touch(slot, at: time, by: peer)
        statistics.hits += 1
        let left = Int((ages.lifetime - age) / 1_000_000_000)
        statistics.lifetimes.record(left)
        let text = store.text(of: slot)
        let meetsMinTTL = verdict == .serve
        ReplyEncoder.encode(text, expiresIn: left, source: .cache, meetsMinTTL: meetsMinTTL, id: id, into: &output)
        return true
    }

    /// Requests a token for a caller.
    package mutating func request(
        _ key: TokenKey,
        _ options: RequestOptions,
        waiter: Waiter,
        now: Instant
    ) -> Outcome<RequestAnswer> {
        let answer = answer(key, options, waiter: waiter, now: now)
        // While tokens are being restored, the deferred work could answer this very request, whose connection notes that it
        // waits only after this event.
        return Outcome(answer: answer, actions: finish(now, performsDeferredWork: restoration.isOver))
    }

    /// Returns the answer to a request for a token, which waits if there is none.
    ///
    /// - Parameter waitsForRestoring: True if a request whose entry may not be restored yet waits for it.
    mutating func answer(
        _ key: TokenKey,
        _ options: RequestOptions,
        waiter: Waiter,
        waitsForRestoring: Bool = true,
        now: Instant
    ) -> RequestAnswer {
        if let refused = options.refused { _ = report(key, refused, now: now) }
        let slot = store.find(key)
        if slot == nil, waitsForRestoring, !options.noCache,
            let answer = waitForRestoring(key, options, waiter, now: now)
        {
            return answer
        }
        if let slot { store.touch(slot, at: store.time(of: now), by: options.peer.uid) }
        let entry = slot.flatMap { store[$0] }
        let judgement = judge(key, entry, options, now: now)
        let stale = judgement.mayServeStale ? entry : nil
        switch judgement.verdict {
        case .serve(let meetsMinTTL):
            return serve(entry, meetsMinTTL: meetsMinTTL, now)
        case .serveAndRefresh:
            let isQueued = slot.map { enqueueRefresh(of: $0, now: now) } ?? false
            return serve(entry, andRefreshes: isQueued, now)
        case .negative(let error):
            statistics.negatives += stale == nil ? 1 : 0
            return fail(error, stale, key, now)
        case .paced(let error): return fail(error, stale, key, now)
        case .limited(let limit):
            if limit == .quota { countQuotaRejection(options.peer.uid) }
            return fail(limit.error, stale, key, now)
        case .mint, .look:
            let waits = mint(key, options, acceptsStale: stale != nil, waiter, now: now)
            return waits ? .wait : fail(.timedOut, stale, key, now)
        }
    }

    private mutating func serve(
        _ entry: Entry?,
        meetsMinTTL: Bool = true,
        andRefreshes: Bool = false,
        _ now: Instant
    ) -> RequestAnswer {
        guard let entry else { return .fail(.tenantRemoved) }
        statistics.hits += 1
        let reply = reply(entry, meetsMinTTL: meetsMinTTL, now: now)
        return andRefreshes ? .serveAndRefresh(reply) : .serve(reply)
    }

    private mutating func fail(_ error: ErrorReply, _ stale: Entry?, _ key: TokenKey, _ now: Instant) -> RequestAnswer {
        guard let stale else {
            noteFailedCaller(of: key.user, error)
            return .fail(error)
        }
        statistics.hits += 1
        return .serve(reply(stale, isStale: true, now: now))
    }

    /// Joins a caller to the mint of a key, which is started if there is none.
    ///
    /// - Returns: True if the caller waits for it.
    private mutating func mint(
        _ key: TokenKey,
        _ options: RequestOptions,
        acceptsStale: Bool,
        _ waiter: Waiter,
        now: Instant
    ) -> Bool {
        let peer = options.peer
        let present = currentCall(of: key)
        let waits = options.timeout > .zero
        if present == nil { payForced(key, options, now: now) }
        if waits { evictWaiterIfFull(now: now) } else if present == nil { evictPrefetchIfFull(for: peer.uid, now: now) }
        // An evicted waiter may have been the last one that waited for this very mint.
        let call = joinOrEnqueue(key, for: peer, waits: waits, now: now)
        demand(options, of: call, isNew: present == nil)
        note(options.trace, of: call, waits: waits)
        guard waits, var list = calls[call]?.waiters else { return false }
        _ = waiters.add(
            waiter,
            of: peer.uid,
            at: key.user.tenant,
            for: .mint(call, acceptsStale: acceptsStale),
            since: now,
            until: now + options.timeout,
            in: options.trace,
            to: &list
        )
        calls.update(call) { $0.waiters = list }
        return true
    }

    private mutating func joinOrEnqueue(_ key: TokenKey, for peer: Peer, waits: Bool, now: Instant) -> CallID {
        guard let call = currentCall(of: key) else {
            statistics.misses += 1
            let rank: Governor.Rank = waits ? .caller(peer.uid) : .prefetch(peer.uid)
            return enqueue(key, .caller, as: rank, for: peer, requestedAt: now)
        }
        statistics.coalesced += 1
        calls.update(call) {
            $0.mint?.requestedAt = now
            $0.mint?.owner = peer.uid
        }
        if waits { promote(call, for: peer.uid) }
        return call
    }

    /// Charges a forced mint to the caller's allowance of forced mints.
    mutating func payForced(_ key: TokenKey, _ options: RequestOptions, now: Instant) {
        guard isForced(key, options) else { return }
        tenants[key.user.tenant]?.governor.takeForced(for: options.peer.uid, now: now)
        // If the mint fails, another try costs nothing.
        if negatives[key]?.report == .unpaid { changeNegative(key, now: now) { $0.report = .paid } }
    }

    /// Changes the negative entry of a key.
    mutating func changeNegative(_ key: TokenKey, now: Instant, _ change: (inout NegativeEntry) -> Void) {
        negatives.change(key, serial: newSerial(), now: now, limit: policy.maxEntries, change)
    }
}
