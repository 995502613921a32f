import OperatorReplies
import PrometheusMetrics
import TokenCache
import TokenProtocol

extension DaemonMetric {
    /// The errors that a call of a tenant's API can end with.
    private static let apiErrors: [ErrorReply.Code] = [.denied, .rateLimited, .unavailable, .badUpstream]
    /// The limit of series of metrics with a few series for each tenant.
    private static let maxSeries = 8 * MetricFamily.defaultMaxSeries

    static let provisioning: [DaemonMetric] = [
        series(
            .counter,
            "tokencached_api_calls_total",
            "Calls of a tenant's API for users that have ended, by outcome.",
            labels: ["tenant", "outcome"],
            maxSeries: maxSeries
        ) { snapshot in
            snapshot.calls { tenant, counts in
                [MetricSeries([tenant, "succeeded"], .integer(counts[api: nil]))]
                    + apiErrors.map { MetricSeries([tenant, $0.rawValue], .integer(counts[api: $0])) }
            }
        },
        perTenant(
            "tokencached_tenant_api_hold_seconds",
            "Time for which a tenant's API for users takes no calls, because it asked for that, or 0."
        ) { .number($0.api?.hold ?? 0) },
        states(
            "tokencached_tenant_api_circuit_state",
            "State of the circuit breaker of a tenant's API for users: 1 for the present one.",
            [CircuitState.closed, .open, .halfOpen]
        ) { $0.api?.state ?? .closed },
        series(
            .counter,
            "tokencached_users_provisioned_total",
            "Users who were provisioned at a tenant, by what was done for them.",
            labels: ["outcome"]
        ) { snapshot in
            let users = snapshot.cache.users
            return [
                MetricSeries(["found"], .integer(users.found)), MetricSeries(["created"], .integer(users.created)),
                MetricSeries(["changed"], .integer(users.changed)), MetricSeries(["refused"], .integer(users.refused)),
                MetricSeries(["remembered"], .integer(users.remembered)),
            ]
        },
    ]
}
