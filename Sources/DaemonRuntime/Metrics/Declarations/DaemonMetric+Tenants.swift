import OperatorReplies
import PrometheusMetrics
import SocketServer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension DaemonMetric {
    private static let maxSeries = 4 * MetricFamily.defaultMaxSeries

    static let tenants: [DaemonMetric] = [
        perTenant(
            "tokencached_tenant_hold_seconds",
            "Time for which a tenant takes no calls, because it asked for that, or 0."
        ) { .number($0.hold ?? 0) },
        states(
            "tokencached_tenant_circuit_state",
            "State of a tenant's circuit breaker: 1 for the present one.",
            [CircuitState.closed, .open, .halfOpen]
        ) { $0.state },
        series(
            .counter,
            "tokencached_tenant_circuit_openings_total",
            "Times that a tenant's circuit breaker has opened.",
            labels: ["tenant"]
        ) { $0.tenants { .integer($0.openings) } },
        states(
            "tokencached_tenant_client_state",
            "Assessment of the daemon's OAuth client at a tenant: 1 for the present one.",
            [ClientState.trusted, .doubtful, .suspected, .denied]
        ) { $0.client },
        perTenant("tokencached_tenant_rate_tokens", "Calls to a tenant that could go at once.") {
            .number($0.rateTokens)
        },
        perTenant("tokencached_tenant_rate_burst", "Calls to a tenant that are allowed at once after a pause.") {
            .integer($0.burst)
        },
        perTenant("tokencached_tenant_rate_per_minute", "Calls to a tenant that are allowed in a minute.") {
            .integer($0.ratePerMinute)
        },
        series(
            .gauge,
            "tokencached_tenant_last_success_timestamp_seconds",
            "Time of a tenant's last successful mint in seconds since 1970.",
            labels: ["tenant"]
        ) { snapshot in
            snapshot.tenants { tenant in
                tenant.lastSuccess.map { .number((snapshot.wall.timeIntervalSince1970 - $0).roundedToMilliseconds) }
            }
        },
    ]

    static func perTenant(
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (StatsReply.Tenant) -> MetricSeries.Value
    ) -> DaemonMetric {
        series(.gauge, name, help, labels: ["tenant"]) { $0.tenants { value($0) } }
    }

    static func states<State: OpenName>(
        _ name: String,
        _ help: String,
        _ states: [State],
        _ present: @escaping @Sendable (StatsReply.Tenant) -> State
    ) -> DaemonMetric {
        series(.gauge, name, help, labels: ["tenant", "state"], maxSeries: maxSeries) { snapshot in
            snapshot.tenants.flatMap { name, tenant in
                states.map { MetricSeries([name, $0.rawValue], .integer(present(tenant) == $0 ? 1 : 0)) }
            }
        }
    }
}

extension Double {
    /// The number with three decimal places.
    ///
    /// The clocks that a time is computed from differ by less between two calls.
    fileprivate var roundedToMilliseconds: Double { (self * 1_000).rounded() / 1_000 }
}
