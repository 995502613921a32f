import OperatorReplies
import PrometheusMetrics
import SocketServer
import TokenCache
import TokenProtocol

extension DaemonMetric {
    /// The bounds of a mint's duration in seconds, from a tenant nearby to one that hangs.
    ///
    /// Ten seconds are the default timeout of callers and of calls.
    private static let mintBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
    /// The errors that a mint can end with.
    private static let mintErrors: [ErrorReply.Code] = [
        .denied, .rateLimited, .unavailable, .badUpstream, .overloaded,
    ]
    /// The limit of series of metrics with a few series for each tenant.
    private static let maxSeries = 32 * MetricFamily.defaultMaxSeries

    static let mints: [DaemonMetric] = [
        series(
            .counter,
            "tokencached_mints_total",
            "Calls to a tenant for a token that have ended, by cause and outcome.",
            labels: ["tenant", "cause", "outcome"],
            maxSeries: maxSeries
        ) { $0.calls { tenant, counts in mintSeries(tenant, counts) } },
        histogram(
            "tokencached_mint_duration_seconds",
            "Time that a call to a tenant for a token took, however it ended.",
            bounds: mintBounds
        ) { $0.cache.mints },
        series(
            .gauge,
            "tokencached_mints_in_flight",
            "Calls to a tenant that are under way.",
            labels: ["tenant"]
        ) { $0.tenants { .integer($0.inFlight) } },
        series(
            .gauge,
            "tokencached_mints_queued",
            "Calls to a tenant that wait for their turn, by rank.",
            labels: ["tenant", "rank"],
            maxSeries: maxSeries
        ) { snapshot in
            snapshot.tenants.flatMap { name, tenant in
                [
                    MetricSeries([name, "caller"], .integer(tenant.queued.callers)),
                    MetricSeries([name, "prefetch"], .integer(tenant.queued.prefetches)),
                    MetricSeries([name, "refresh"], .integer(tenant.queued.refreshes)),
                ]
            }
        },
        counter("tokencached_refreshes_due_total", "Refreshes that became due and were queued.") {
            $0.server.stats.refreshes.due
        },
        counter("tokencached_refreshes_done_total", "Refreshes that brought a token.") {
            $0.server.stats.refreshes.done
        },
        counter(
            "tokencached_refreshes_late_total",
            "Refreshes that brought a token only after the old one could no longer be served."
        ) { $0.server.stats.refreshes.late },
        counter(
            "tokencached_refreshes_skipped_total",
            "Refreshes that were not made because no application had used the token lately."
        ) { $0.server.stats.refreshes.skippedIdle },
        gauge("tokencached_next_refresh_seconds", "Time until a timer starts the next refresh.") {
            $0.server.stats.nextRefresh.map { .number($0) }
        },
        series(
            .counter,
            "tokencached_revocations_total",
            "Tokens that were to be revoked at a tenant, by outcome.",
            labels: ["tenant", "outcome"],
            maxSeries: maxSeries
        ) { snapshot in
            snapshot.calls { tenant, counts in
                AuditRecord.RevocationEnd.allCases.map {
                    MetricSeries([tenant, $0.rawValue], .integer(counts[$0]))
                }
            }
        },
    ]

    private static func mintSeries(_ tenant: String, _ counts: CallCounts) -> [MetricSeries] {
        AuditRecord.MintCause.allCases.flatMap { cause in
            [MetricSeries([tenant, cause.rawValue, "succeeded"], .integer(counts[cause, nil]))]
                + mintErrors.map { error in
                    MetricSeries([tenant, cause.rawValue, error.rawValue], .integer(counts[cause, error]))
                }
        }
    }
}

extension MetricsSnapshot {
    /// Returns the series of each tenant that is configured or was called.
    func calls(_ series: (String, CallCounts) -> [MetricSeries]) -> [MetricSeries] {
        let counts = cache.calls.byName
        let names = Set(counts.keys).union(server.stats.tenants.keys)
        return names.sorted().flatMap { series($0, counts[$0] ?? CallCounts()) }
    }

    /// Returns a series for each configured tenant that has a value.
    func tenants(_ value: (StatsReply.Tenant) -> MetricSeries.Value?) -> [MetricSeries] {
        tenants.compactMap { name, tenant in value(tenant).map { MetricSeries([name], $0) } }
    }
}
