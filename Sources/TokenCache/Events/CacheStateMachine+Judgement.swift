import TokenProtocol

/// What the next answer for a key would be: the one judgement that requests, prefetches and explanations share.
extension CacheStateMachine {
    /// What a request gets.
    struct Judgement: Equatable {
        enum Verdict: Equatable {
            /// The cached token.
            case serve(meetsMinTTL: Bool)
            /// The cached token, and one refresh starts in the background.
            case serveAndRefresh
            /// A new token, for which the caller waits.
            case mint
            /// No mint: the tenant has refused this user, or a mint of this key has just failed.
            case negative(ErrorReply)
            /// No mint: it could not go before the caller's time is over.
            case paced(ErrorReply)
        }

        var verdict: Verdict
        /// Whether the cached token is served, marked as stale, where no new one is to be had.
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
            // The latest end counts: when the refusal is over, the tenant may still not be called.
            error.retryAfter = max(error.retryAfter ?? 0, delay.map { ($0.until - now).asRetryAfter } ?? 0)
            judgement.verdict = .negative(error)
        } else if call?.sent == nil, let delay, delay.until >= now + options.timeout {
            // One that goes when the caller's time is over comes too late.
            judgement.verdict = .paced(.paced(delay.cause, until: delay.until, now: now))
        }
        return judgement
    }

    /// The mint of a key's present generation that is planned or under way.
    func currentCall(of key: TokenKey) -> CallID? { calls.current(key, above: store.floor(of: key.user.tenant)) }

    /// An entry's life under the present policy.
    func life(of entry: Entry) -> TokenLife {
        entry.policyNumber == store.policyNumber ? entry.life : entry.life.under(policy)
    }

    /// Lays an entry's life out anew where a reload has changed the policy since.
    mutating func applyPolicy(to slot: Int) {
        guard let entry = store[slot], entry.policyNumber != store.policyNumber else { return }
        entry.life = entry.life.under(policy)
        entry.policyNumber = store.policyNumber
        store.schedule(slot, entry)
    }
}
