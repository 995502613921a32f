import Secrets
package import TokenProtocol

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
            checks: tenantNames.flatMap { name in
                tenants[name].map {
                    [circuit($0, name, now, wall), hold($0, name, now, wall), client($0, name, now, wall)]
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
        let reason = tenant.lastError.map { " (last: \($0.error.description))" } ?? ""
        return HealthReply.Check(
            name: "circuit",
            tenant: name,
            status: .degraded,
            description: "calls to the tenant fail\(reason); \(retry)",
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
        switch tenant.governor.client.state {
        case .trusted: HealthReply.Check(name: "client", tenant: name, status: .ok)
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

    private static func text(_ instant: Instant, _ now: Instant, _ wall: Date) -> String {
        wall.addingTimeInterval(-(now - instant).inSeconds).formatted(.iso8601)
    }

    // MARK: One key

    /// Why the next answer for a key would be what it is.
    package func explain(_ key: TokenKey, for peer: PeerUID, now: Instant) -> ExplainReply {
        let flight = currentFlights[key.user]?[key.scopes]
        let delay = tenants[key.user.tenant]?.governor.delay(of: flight, for: peer, now: now)
        let tenant = explainTenant(key.user.tenant, delay, now: now)
        let entry = store.find(key).flatMap { store[$0] }
        let refusal = memories[key]?.refusal(at: now)
        var reply: ExplainReply
        if let entry, entry.life.isServable(at: now) {
            let state = state(of: entry, now: now)
            reply = ExplainReply(
                state: state.explained,
                source: .cache,
                reason: reason(entry, now: now),
                tenant: tenant
            )
        } else if let refusal {
            let state: ExplainReply.State = refusal.code == .denied ? .refused : .failing
            reply = ExplainReply(state: state, source: .error, reason: refusal.description, tenant: tenant)
        } else if let delay, delay.until > now + TokenRequest.defaultTimeout {
            let error = ErrorReply.paced(delay.cause, until: delay.until, now: now)
            reply = ExplainReply(state: .absent, source: .error, reason: error.description, tenant: tenant)
        } else {
            let state: ExplainReply.State = flight != nil ? .minting : entry == nil ? .absent : .expiring
            let reason = flight != nil ? "a mint is planned or under way, and is shared" : "a token has to be minted"
            reply = ExplainReply(state: state, source: .tenant, reason: reason, tenant: tenant)
        }
        reply.token = entry.map { explain($0, now: now) }
        reply.refresh = entry.flatMap { refresh(of: $0, flight, now: now) }
        reply.lastError = refusal
        if let flight, let time = tenants[key.user.tenant]?.governor.retryTime(of: flight) {
            reply.backoff = max(0, (time - now).inSeconds)
        }
        return reply
    }

    private func reason(_ entry: Entry, now: Instant) -> String {
        if now > entry.life.preferredUntil {
            return "the cached token has less left than preferred: another is tried first"
        }
        if now < entry.life.softPoint { return "the cached token is in the first part of its life" }
        if currentFlights[entry.key.user]?[entry.key.scopes] != nil {
            return "the cached token is served while its refresh is planned or under way"
        }
        return "the cached token is due for renewal: the next request gets it and starts a refresh"
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

    private func refresh(of entry: Entry, _ flight: CallID?, now: Instant) -> ExplainReply.Refresh? {
        if let flight {
            if flights[flight]?.sent != nil { return ExplainReply.Refresh(seconds: 0, cause: .underWay) }
            guard let time = tenants[entry.key.user.tenant]?.governor.retryTime(of: flight) else {
                return ExplainReply.Refresh(seconds: nil, cause: .queued)
            }
            return ExplainReply.Refresh(seconds: max(0, (time - now).inSeconds), cause: .backoff)
        }
        guard entry.life.isServable(at: now) else { return nil }
        if now >= entry.life.softPoint { return ExplainReply.Refresh(seconds: 0, cause: .ahead) }
        let isDueByTimer =
            entry.lastAsked.map { entry.life.lastChance - $0 <= policy.idleTTL } ?? false && !entry.isUnusedRefresh
        return isDueByTimer
            ? ExplainReply.Refresh(seconds: (entry.life.lastChance - now).inSeconds, cause: .lastChance)
            : ExplainReply.Refresh(seconds: (entry.life.softPoint - now).inSeconds, cause: .ahead)
    }

    private func explainTenant(_ name: String, _ delay: Governor.Delay?, now: Instant) -> ExplainReply.Tenant {
        var reply = ExplainReply.Tenant()
        guard let governor = tenants[name]?.governor else { return reply }
        reply.circuit = governor.circuit.name(at: now)
        reply.client = governor.client.name
        reply.hold = governor.currentHold(at: now).map { ($0.until - now).inSeconds }
        reply.wait = delay.map { max(0, ($0.until - now).inSeconds) } ?? 0
        return reply
    }
}

extension Circuit {
    /// Its state in one word, as operators are shown it.
    func name(at now: Instant) -> String {
        switch state {
        case .closed: "closed"
        case .open(let until): until > now ? "open" : "half_open"
        case .halfOpen: "half_open"
        }
    }
}

extension ClientStanding {
    /// What is thought of the client in one word, as operators are shown it.
    var name: String {
        switch state {
        case .trusted: "trusted"
        case .suspected: "suspected"
        case .refused: "refused"
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
