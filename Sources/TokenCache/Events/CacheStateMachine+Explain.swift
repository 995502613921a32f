package import OperatorReplies
import Secrets
import TokenProtocol

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// Why things are as they are.
extension CacheStateMachine {
    // MARK: Health

    /// Whether tenants are reachable and take the client, and since when not.
    ///
    /// - Parameter wall: The wall clock, for display.
    package func health(now: Instant, wall: Date) -> HealthReply {
        HealthReply(
            checks: configured.flatMap { id in
                tenants[id].map {
                    [circuit($0, id.name, now, wall), hold($0, id.name, now, wall), client($0, id.name, now, wall)]
                }
                    ?? []
            }
        )
    }

    private func circuit(_ tenant: TenantState, _ name: String, _ now: Instant, _ wall: Date) -> HealthReply.Check {
        guard let since = tenant.governor.circuit.openSince else {
            return HealthReply.Check(name: "circuit", tenant: name, status: .ok)
        }
        let retry =
            tenant.governor.circuit.openUntil(now).map { "it is tried again in \(($0 - now).asRetryAfter) s" }
            ?? "the next call tries it again"
        return HealthReply.Check(
            name: "circuit",
            tenant: name,
            status: .degraded,
            description: "calls to the tenant fail\(Self.last(tenant)); \(retry)",
            since: Self.text(since, now, wall)
        )
    }

    private func hold(_ tenant: TenantState, _ name: String, _ now: Instant, _ wall: Date) -> HealthReply.Check {
        guard let hold = tenant.governor.currentHold(at: now) else {
            return HealthReply.Check(name: "hold", tenant: name, status: .ok)
        }
        return HealthReply.Check(
            name: "hold",
            tenant: name,
            status: .degraded,
            description: ErrorReply.paced(hold.cause, until: hold.until, now: now).description,
            since: tenant.governor.heldSince.map { Self.text($0, now, wall) }
        )
    }

    private func client(_ tenant: TenantState, _ name: String, _ now: Instant, _ wall: Date) -> HealthReply.Check {
        switch tenant.client.state {
        case .trusted: HealthReply.Check(name: "client", tenant: name, status: .ok)
        case .doubtful(let since):
            HealthReply.Check(
                name: "client",
                tenant: name,
                status: .degraded,
                description: "several users in a row were refused, none accepted between\(Self.last(tenant)): "
                    + "they are unknown or disabled, or the client may not act for users",
                since: Self.text(since, now, wall)
            )
        case .suspected(let since, _):
            HealthReply.Check(
                name: "client",
                tenant: name,
                status: .degraded,
                description: "several users in a row were refused with 401: they are unknown, or the client is refused",
                since: Self.text(since, now, wall)
            )
        case .refused(let since):
            HealthReply.Check(
                name: "client",
                tenant: name,
                status: .failing,
                description: "the tenant refuses the client with 401, also for a user whom it has accepted before: "
                    + "look at the client's secret and at the client in the tenant",
                since: Self.text(since, now, wall)
            )
        }
    }

    /// The tenant's last error, to stand behind a reason.
    private static func last(_ tenant: TenantState) -> String {
        tenant.lastError.map { " (last: \($0.error.description))" } ?? ""
    }

    private static func text(_ instant: Instant, _ now: Instant, _ wall: Date) -> String {
        wall.addingTimeInterval(-(now - instant).inSeconds).formatted(.iso8601)
    }

    // MARK: One key

    /// Why the next answer for a key would be what it is, asked for by a peer without any wishes of its own.
    package func explain(_ key: TokenKey, for peer: PeerUID, now: Instant) -> ExplainReply {
        let entry = store.find(key).flatMap { store[$0] }
        let options = RequestOptions(peer: Peer(uid: peer, gid: 0))
        let judgement = judge(key, entry, options, now: now)
        let call = currentCall(of: key).flatMap { calls[$0] }
        let delay = tenants[key.user.tenant]?.governor.delay(of: call?.ticket, for: peer, now: now)
        var reply = explain(judgement, entry, call, tenant: explainTenant(key.user.tenant, delay, now: now), now: now)
        reply.token = entry.map { explain($0, now: now) }
        reply.refresh = entry.flatMap { refresh(of: $0, call, now: now) }
        reply.lastError = negatives[key]?.error(at: now).map(ExplainReply.Failure.init)
        if let time = call.flatMap({ retryTime(of: $0) }) { reply.backoff = max(0, (time - now).inSeconds) }
        return reply
    }

    private func explain(
        _ judgement: Judgement,
        _ entry: Entry?,
        _ call: Call?,
        tenant: ExplainReply.Tenant,
        now: Instant
    ) -> ExplainReply {
        switch judgement.verdict {
        case .serve, .serveAndRefresh:
            guard let entry else { break }
            let state = state(of: entry, now: now).explained
            return ExplainReply(state: state, source: .cache, reason: reason(entry, call, now), tenant: tenant)
        case .negative(let error), .paced(let error):
            guard !judgement.mayServeStale else {
                let reason =
                    "the cached token has less left than preferred, and no new one is to be had: \(error.description)"
                return ExplainReply(state: .expiring, source: .cache, reason: reason, tenant: tenant)
            }
            let state: ExplainReply.State =
                switch judgement.verdict {
                case .negative where error.code == .denied: .refused
                case .negative: .failing
                default: .absent
                }
            return ExplainReply(state: state, source: .error, reason: error.description, tenant: tenant)
        case .mint: break
        }
        let state: ExplainReply.State = entry != nil ? .expiring : call != nil ? .minting : .absent
        let mint = call != nil ? "a mint is planned or under way, and is shared" : "a token has to be minted"
        let isShort = entry?.life.isServable(at: now) ?? false
        let reason = isShort ? "the cached token has less left than preferred: \(mint)" : mint
        return ExplainReply(state: state, source: .tenant, reason: reason, tenant: tenant)
    }

    private func reason(_ entry: Entry, _ call: Call?, _ now: Instant) -> String {
        if now < life(of: entry).refreshAfter { return "the cached token is in the first part of its life" }
        if call != nil { return "the cached token is served while its refresh is planned or under way" }
        return "the cached token is due for renewal: the next request gets it and starts a refresh"
    }

    /// Before when a refresh that failed isn't tried again; nil: it waits for its turn only.
    private func retryTime(of call: Call) -> Instant? {
        guard call.sent == nil, call.waiters.isEmpty else { return nil }
        return call.mint?.refresh?.notBefore
    }

    private func explain(_ entry: Entry, now: Instant) -> ExplainReply.Token {
        ExplainReply.Token(
            expiresIn: entry.life.left(at: now).wholeSeconds,
            expiresAt: entry.token.expiresAt,
            age: (now - entry.life.sent).wholeSeconds,
            lastUsed: entry.lastAsked.map { (now - $0).wholeSeconds },
            fingerprint: entry.token.fingerprint.short
        )
    }

    private func refresh(of entry: Entry, _ call: Call?, now: Instant) -> ExplainReply.Refresh? {
        if let call {
            if call.sent != nil { return ExplainReply.Refresh(seconds: 0, cause: .underWay) }
            guard let time = retryTime(of: call) else { return ExplainReply.Refresh(seconds: nil, cause: .queued) }
            return ExplainReply.Refresh(seconds: max(0, (time - now).inSeconds), cause: .backoff)
        }
        let life = life(of: entry)
        guard life.isServable(at: now) else { return nil }
        if now >= life.refreshAfter { return ExplainReply.Refresh(seconds: 0, cause: .ahead) }
        let isDueByTimer =
            entry.lastAsked.map { life.refreshDeadline - $0 <= policy.idleTTL } ?? false && !entry.isUnusedRefresh
        return isDueByTimer
            ? ExplainReply.Refresh(seconds: (life.refreshDeadline - now).inSeconds, cause: .lastChance)
            : ExplainReply.Refresh(seconds: (life.refreshAfter - now).inSeconds, cause: .ahead)
    }

    private func explainTenant(_ tenant: TenantID, _ delay: Governor.Delay?, now: Instant) -> ExplainReply.Tenant {
        var reply = ExplainReply.Tenant()
        guard let state = tenants[tenant] else { return reply }
        let governor = state.governor
        reply.circuit = governor.circuit.name(at: now)
        reply.client = state.client.name
        reply.hold = governor.currentHold(at: now).map { ($0.until - now).inSeconds }
        reply.wait = delay.map { max(0, ($0.until - now).inSeconds) } ?? 0
        return reply
    }
}

extension CircuitBreaker {
    /// Its state in one word, as operators are shown it.
    func name(at now: Instant) -> CircuitState {
        switch state {
        case .closed: .closed
        case .open(let until): until > now ? .open : .halfOpen
        case .halfOpen: .halfOpen
        }
    }
}

extension ClientHealth {
    /// What is thought of the client in one word, as operators are shown it.
    var name: ClientState {
        switch state {
        case .trusted: .trusted
        case .doubtful: .doubtful
        case .suspected: .suspected
        case .refused: .refused
        }
    }
}

extension EntriesReply.Entry.State {
    fileprivate var explained: ExplainReply.State {
        switch self {
        case .fresh: .fresh
        case .due: .due
        case .refreshing: .refreshing
        case .expiring: .expiring
        }
    }
}
