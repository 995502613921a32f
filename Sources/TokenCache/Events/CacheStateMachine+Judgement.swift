import TokenProtocol

/// The one judgement of the next answer for a key, shared by requests, prefetches and explanations.
extension CacheStateMachine {
    /// The answer that a request gets.
    struct Judgement: Equatable {
        enum Verdict: Equatable {
            /// The cached token.
            case serve(meetsMinTTL: Bool)
            /// The cached token, and one refresh starts in the background.
            case serveAndRefresh
            /// A new token, for which the caller waits.
            case mint
            /// No mint: the tenant has denied this user, or a mint of this key has just failed.
            case negative(ErrorReply)
            /// No mint: it could not be sent before the caller's timeout.
            case paced(ErrorReply)
            /// No mint: a limit of the caller's or the user's is reached.
            case limited(MintLimit)
        }

        /// A limit that keeps a request from a mint.
        enum MintLimit: Equatable {
            /// The quota of waiting requests, or of prefetches, is used up.
            case quota
            /// The user has as many mints under way as one user may have.
            case mintsPerUser
            /// The caller's allowance of forced mints is used up.
            case forcedMints(ErrorReply)

            /// The reply of a request that the limit keeps from a mint.
            var error: ErrorReply {
                switch self {
                case .quota, .mintsPerUser: .tooManyWaiting
                case .forcedMints(let error): error
                }
            }
        }

        var verdict: Verdict
        /// True if the cached token is served, marked as stale, when there is no new one.
        var mayServeStale = false
    }

    func judge(_ key: TokenKey, _ entry: Entry?, _ options: RequestOptions, now: Instant) -> Judgement {
        var judgement = Judgement(verdict: .mint)
        if let entry, !options.noCache {
            switch life(of: entry).verdict(at: now, minTTL: options.minTTL) {
            case .serve: return Judgement(verdict: .serve(meetsMinTTL: true))
            case .serveUnmet: return Judgement(verdict: .serve(meetsMinTTL: false))
            case .serveAndRefresh: return Judgement(verdict: .serveAndRefresh)
            case .mint(let mayServeStale): judgement.mayServeStale = mayServeStale
            }
        }
        guard let tenant = tenants[key.user.tenant], !tenant.isRetired else {
            return Judgement(verdict: .negative(.tenantRemoved))
        }
        let call = currentCall(of: key).flatMap { calls[$0] }
        let delay = tenant.governor.delay(of: call?.ticket, for: options.peer.uid, now: now)
        if var error = negatives[key]?.error(at: now), !(options.noCache && error.code == .denied) {
            // The latest end counts: after the denial ends, the tenant may still not be called.
            error.retryAfter = max(error.retryAfter ?? 0, delay.map { ($0.until - now).asRetryAfter } ?? 0)
            judgement.verdict = .negative(error)
        } else if call?.sent == nil, let delay, delay.until >= now + options.timeout {
            // A call that is sent at the very time of the caller's timeout is too late.
            judgement.verdict = .paced(.paced(delay.cause, until: delay.until, now: now))
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

    /// Returns an entry's life under the current policy.
    func life(of entry: Entry) -> TokenLife {
        entry.policyNumber == store.policyNumber ? entry.life : entry.life.under(policy)
    }

    /// Recomputes an entry's life if a reload has changed the policy.
    mutating func applyPolicy(to slot: Int) {
        guard let entry = store[slot], entry.policyNumber != store.policyNumber else { return }
        entry.life = entry.life.under(policy)
        entry.policyNumber = store.policyNumber
        store.schedule(slot, entry)
    }
}
