import TokenProtocol

/// The one judgement of the next answer for a key, shared by requests, prefetches and explanations.
extension CacheStateMachine {
    /// Returns the answer that a request for a key would get.
    ///
    /// Nothing is changed by it.
    ///
    /// - Parameter entry: The key's entry, if there is one.
    func judge(_ key: TokenKey, _ entry: Entry?, _ options: RequestOptions, now: Instant) -> Judgement {
        var judgement = Judgement(verdict: .mint)
        if let entry, !options.noCache, isSuspect(entry) {
            judgement.mayServeStale = entry.life.isServable(at: now)
        } else if let entry, !options.noCache {
            switch entry.life.verdict(at: now, minTTL: options.minTTL) {
            case .serve: return Judgement(verdict: .serve(meetsMinTTL: true))
            case .serveUnmet: return Judgement(verdict: .serve(meetsMinTTL: false))
            case .serveAndRefresh: return Judgement(verdict: .serveAndRefresh)
            case .mint(let mayServeStale): judgement.mayServeStale = mayServeStale
            }
        }
        guard let tenant = tenants[key.user.tenant], !tenant.isRetired else {
            return Judgement(verdict: .negative(.tenantRemoved))
        }
        guard !key.user.isClient || client(of: key.user) != nil else {
            return Judgement(verdict: .negative(.clientRemoved))
        }
        let call = currentCall(of: key).flatMap { calls[$0] }
        let delay = tenant.governor.delay(of: call?.ticket, for: options.peer.uid, now: now)
        if var error = negatives[key]?.error(at: now), !(options.noCache && error.code == .denied) {
            // The latest end counts: after the denial ends, the tenant may still not be called.
            error.retryAfter = max(error.retryAfter ?? 0, delay.map { ($0.until - now).asRetryAfter } ?? 0)
            judgement.verdict = .negative(error)
        } else if call?.awaitsGovernor ?? true, let delay, delay.until >= now + options.timeout {
            // A call that is sent at the very time of the caller's timeout is too late.
            let error = ErrorReply.paced(delay.cause, until: delay.until, now: now)
            judgement.verdict = mayLookUp(key, call, options, now: now) ? .look(error) : .paced(error)
        } else if let limit = mintLimit(key, options, joins: call != nil, now: now) {
            judgement.verdict = .limited(limit)
        }
        return judgement
    }

    /// Returns the limit that keeps a request from joining or starting a mint, or nil if there is none.
    ///
    /// - Parameter joins: True if the key has a mint already.
    func mintLimit(_ key: TokenKey, _ options: RequestOptions, joins: Bool, now: Instant) -> Judgement.MintLimit? {
        let peer = options.peer.uid
        let isWithinQuota =
            options.timeout > .zero ? canAddWaiter(for: peer) : joins || canAddPrefetch(for: peer)
        guard isWithinQuota else { return .quota }
        guard !joins else { return nil }
        guard calls.mints(of: key.user).count < Self.maxMintsPerUser else { return .mintsPerUser }
        guard isForced(key, options),
            let until = tenants[key.user.tenant]?.governor.forcedMintTime(for: peer, now: now)
        else { return nil }
        return .forcedMints(ErrorReply.forcedTooOften(until: until, now: now))
    }

    /// True if a mint of a key would be forced, by `no_cache` or by a report of its last token that isn't paid for yet.
    func isForced(_ key: TokenKey, _ options: RequestOptions) -> Bool {
        options.noCache || negatives[key]?.report == .unpaid
    }

    /// Returns the mint of a key's current generation that is queued or under way.
    func currentCall(of key: TokenKey) -> CallID? { calls.current(key, above: store.floor(of: key.user.tenant)) }
}
