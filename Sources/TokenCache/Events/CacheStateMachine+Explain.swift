package import OperatorReplies
import Secrets
import TokenProtocol

/// The reply to `explain`: the answer that the next request for a key would get, and its reason.
extension CacheStateMachine {
    /// Explains the answer that a peer's next request for a key would get, if it has no options.
    package func explain(_ key: TokenKey, for peer: PeerUID, now: Instant) -> ExplainReply {
        let entry = store.find(key).flatMap { store[$0] }
        let options = RequestOptions(peer: Peer(uid: peer, gid: 0))
        let judgement = judge(key, entry, options, now: now)
        let call = currentCall(of: key).flatMap { calls[$0] }
        let delay = tenants[key.user.tenant]?.governor.delay(of: call?.ticket, for: peer, now: now)
        let tenant = explainTenant(key.user.tenant, delay, now: now)
        var reply = explain(judgement, key, entry, call, tenant: tenant, now: now)
        reply.key = ExplainReply.Key(key)
        reply.fleet = fleetPart(key, entry, call, judgement, now: now)
        if reply.fleet?.step == .yielding { reply.source = .fleet }
        reply.token = entry.map { explain($0, now: now) }
        reply.refresh = entry.flatMap { refresh(of: $0, call, now: now) }
        reply.lastError = negatives[key]?.error(at: now).map(ExplainReply.Failure.init)
        if let time = call.flatMap({ retryTime(of: $0) }) { reply.backoff = max(0, (time - now).inSeconds) }
        return reply
    }

    private func explain(
        _ judgement: Judgement,
        _ key: TokenKey,
        _ entry: Entry?,
        _ call: Call?,
        tenant: ExplainReply.Tenant,
        now: Instant
    ) -> ExplainReply {
        switch judgement.verdict {
        case .serve, .serveAndRefresh:
            guard let entry else { break }
            let state = state(of: entry, now: now)
            return ExplainReply(state: state, source: .cache, reason: reason(entry, call, now), tenant: tenant)
        case .negative(let error), .paced(let error): return explain(error, judgement, tenant)
        case .limited(let limit): return explain(limit.error, judgement, tenant)
        case .look(let error):
            let reason = "\(Self.looksUp), and if it has no token: \(error.description)"
            let state: KeyState = entry == nil ? .absent : .expiring
            return ExplainReply(state: state, source: .tenant, reason: reason, tenant: tenant)
        case .mint: break
        }
        if entry == nil, call == nil, isRestoring {
            let reason = "the last daemon's tokens are being restored, and a request waits for its own"
            return ExplainReply(state: .absent, source: .tenant, reason: reason, tenant: tenant)
        }
        let state: KeyState = entry != nil ? .expiring : call != nil ? .minting : .absent
        let mint = mintReason(entry, call, key)
        let isShort = entry.map { $0.life.isServable(at: now) && !isSuspect($0) } ?? false
        let reason = isShort ? "the cached token expires sooner than preferred: \(mint)" : mint
        return ExplainReply(state: state, source: .tenant, reason: reason, tenant: tenant)
    }

    private func explain(_ error: ErrorReply, _ judgement: Judgement, _ tenant: ExplainReply.Tenant) -> ExplainReply {
        guard !judgement.mayServeStale else {
            let reason =
                "the cached token expires sooner than preferred, and there is no new one: \(error.description)"
            return ExplainReply(state: .expiring, source: .cache, reason: reason, tenant: tenant)
        }
        let state: KeyState =
            switch judgement.verdict {
            case .negative where error.code == .denied: .denied
            case .negative: .failing
            default: .absent
            }
        return ExplainReply(state: state, source: .error, reason: error.description, tenant: tenant)
    }

    private func reason(_ entry: Entry, _ call: Call?, _ now: Instant) -> String {
        if now < entry.life.refreshAfter { return "the cached token is in the first part of its life" }
        if call != nil { return "the cached token is served while its refresh is planned or under way" }
        return "the cached token is due for renewal: the next request gets it and starts a refresh"
    }

    /// The time before which a failed refresh isn't retried, or nil if it only waits in the queue.
    private func retryTime(of call: Call) -> Instant? {
        guard call.sent == nil, call.waiters.isEmpty else { return nil }
        return call.mint?.refresh?.notBefore
    }

    private func explain(_ entry: Entry, now: Instant) -> ExplainReply.Token {
        ExplainReply.Token(
            expiresIn: entry.life.left(at: now).wholeSeconds,
            expiresAt: entry.expiresAt.text,
            age: (now - entry.life.sent).wholeSeconds,
            lastUsed: entry.lastUsed.map { (now - $0).wholeSeconds },
            fingerprint: entry.shortFingerprint
        )
    }

    private func refresh(of entry: Entry, _ call: Call?, now: Instant) -> ExplainReply.Refresh? {
        if let call {
            if !call.awaitsGovernor { return ExplainReply.Refresh(seconds: 0, cause: .underWay) }
            guard let time = retryTime(of: call) else { return ExplainReply.Refresh(seconds: nil, cause: .queued) }
            return ExplainReply.Refresh(seconds: max(0, (time - now).inSeconds), cause: .backoff)
        }
        let life = entry.life
        guard life.isServable(at: now) else { return nil }
        if now >= life.refreshAfter { return ExplainReply.Refresh(seconds: 0, cause: .ahead) }
        let isDueByTimer =
            entry.lastUsed.map { life.refreshDeadline - $0 <= policy.idleTTL } ?? false && !entry.isUnusedRefresh
        return isDueByTimer
            ? ExplainReply.Refresh(seconds: (life.refreshDeadline - now).inSeconds, cause: .refreshDeadline)
            : ExplainReply.Refresh(seconds: (life.refreshAfter - now).inSeconds, cause: .ahead)
    }

    private func explainTenant(_ tenant: TenantID, _ delay: Governor.Delay?, now: Instant) -> ExplainReply.Tenant {
        var reply = ExplainReply.Tenant()
        guard let state = tenants[tenant] else { return reply }
        reply.circuit = state.governor.circuit.name(at: now)
        reply.client = state.client.name
        reply.hold = state.governor.currentHold(at: now).map { ($0.until - now).inSeconds }
        reply.wait = delay.map { max(0, ($0.until - now).inSeconds) } ?? 0
        return reply
    }
}

extension ExplainReply.Key {
    /// Creates the description of a key.
    fileprivate init(_ key: TokenKey) {
        let user = key.user.user
        let name = String(decoding: user.value, as: UTF8.self)
        self.init(
            tenant: key.user.tenant.name,
            subject: user.field == .subject ? name : nil,
            userID: user.field == .userID ? name : nil,
            client: user.field == .client ? name : nil,
            scope: key.scopes.text
        )
    }
}
