package import OperatorReplies
import TokenProtocol

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// The reply to `health`: the state of each tenant and of its client.
extension CacheStateMachine {
    /// Returns the state of the tenants and of their clients, and since when they are not well.
    ///
    /// - Parameter wall: The wall-clock time, for display.
    package func health(now: Instant, wall: Date) -> HealthReply {
        HealthReply(
            checks: configured.flatMap { id in tenants[id].map { checks(of: $0, id.name, now, wall) } ?? [] }
        )
    }

    private func checks(of tenant: TenantState, _ name: String, _ now: Instant, _ wall: Date) -> [HealthReply.Check] {
        let circuit = circuit(
            "circuit",
            tenant,
            .tokens,
            "calls to the tenant fail\(Self.last(tenant))",
            name,
            now,
            wall
        )
        let hold = hold("hold", tenant, .tokens, name, now, wall)
        return [circuit, hold, client(tenant, name, now, wall)]
            + [furtherClients(tenant, name, now, wall)].compactMap(\.self) + apiChecks(tenant, name, now, wall)
    }

    /// Returns the check of a tier's circuit breaker.
    func circuit(
        _ check: String,
        _ tenant: TenantState,
        _ tier: Tier,
        _ description: @autoclosure () -> String,
        _ name: String,
        _ now: Instant,
        _ wall: Date
    ) -> HealthReply.Check {
        guard let since = tenant[tier].circuit.openSince else {
            return HealthReply.Check(name: check, tenant: name, status: .ok)
        }
        return HealthReply.Check(
            name: check,
            tenant: name,
            status: .degraded,
            description: "\(description()); \(Self.retry(tenant[tier].circuit, now))",
            since: Self.text(since, now, wall)
        )
    }

    /// Returns the check of a tier's hold.
    func hold(
        _ check: String,
        _ tenant: TenantState,
        _ tier: Tier,
        _ name: String,
        _ now: Instant,
        _ wall: Date
    ) -> HealthReply.Check {
        guard let hold = tenant[tier].currentHold(at: now) else {
            return HealthReply.Check(name: check, tenant: name, status: .ok)
        }
        return HealthReply.Check(
            name: check,
            tenant: name,
            status: .degraded,
            description: ErrorReply.paced(hold.cause, until: hold.until, now: now).description,
            since: tenant[tier].heldSince.map { Self.text($0, now, wall) }
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
        case .denied(let since):
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

    /// The most refused clients that one description names.
    private static var maxNamed: Int { 5 }

    /// Returns the check of a tenant's further clients, or nil if it has none.
    private func furtherClients(
        _ tenant: TenantState,
        _ name: String,
        _ now: Instant,
        _ wall: Date
    ) -> HealthReply.Check? {
        guard !tenant.governor.limits.clients.isEmpty else { return nil }
        let refused = tenant.furtherClients.refusals.sorted { $0.key < $1.key }
        guard let since = refused.map(\.value.since).min() else {
            return HealthReply.Check(name: "clients", tenant: name, status: .ok)
        }
        let named = refused.prefix(Self.maxNamed).map { "\($0.key) (status \($0.value.upstream.status))" }
        let more = refused.count > named.count ? " and \(refused.count - named.count) more" : ""
        return HealthReply.Check(
            name: "clients",
            tenant: name,
            status: .failing,
            description: "the tenant refuses these further clients: \(named.joined(separator: ", "))\(more): "
                + "look at their secrets and scopes, and at the clients in the tenant",
            since: Self.text(since, now, wall)
        )
    }

    static func retry(_ circuit: CircuitBreaker, _ now: Instant) -> String {
        circuit.openUntil(now).map { "it is tried again in \(($0 - now).asRetryAfter) s" }
            ?? "the next call tries it again"
    }

    /// Returns the tenant's last error, to be appended to a reason.
    private static func last(_ tenant: TenantState) -> String {
        tenant.lastError.map { " (last: \($0.error.description))" } ?? ""
    }

    static func text(_ instant: Instant, _ now: Instant, _ wall: Date) -> String {
        wall.addingTimeInterval(-(now - instant).inSeconds).formatted(.iso8601)
    }
}

extension CircuitBreaker {
    /// The state in one word, as operators see it.
    func name(at now: Instant) -> CircuitState {
        switch state {
        case .closed: .closed
        case .open(let until): until > now ? .open : .halfOpen
        case .halfOpen: .halfOpen
        }
    }
}

extension ClientHealth {
    /// The client's state in one word, as operators see it.
    var name: ClientState {
        switch state {
        case .trusted: .trusted
        case .doubtful: .doubtful
        case .suspected: .suspected
        case .denied: .denied
        }
    }
}
