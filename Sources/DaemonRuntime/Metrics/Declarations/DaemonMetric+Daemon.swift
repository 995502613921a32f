import OperatorReplies
import PrometheusMetrics
import SocketServer

extension DaemonMetric {
    static let daemon: [DaemonMetric] = [
        counter("tokencached_log_lines_dropped_total", "Log lines that came faster than they could be written.") {
            $0.droppedLogLines
        },
        series(
            .gauge,
            "tokencached_health_status",
            "Result of the daemon's checks: 1 for the present one.",
            labels: ["status"]
        ) { snapshot in
            let present = snapshot.server.health
            return [HealthReply.Status.ok, .degraded, .failing].map {
                MetricSeries([$0.rawValue], .integer($0 == present ? 1 : 0))
            }
        },
        series(.gauge, "tokencached_build_info", "The daemon's version, with the value 1.", labels: ["version"]) {
            [MetricSeries([$0.server.stats.version ?? ""], .integer(1))]
        },
    ]

    /// The metrics of the parts that count by swift-metrics.
    static let instruments: [DaemonMetric] = [
        instrument(.counter, "tokencached_audit_records_total", "Records that were written to the audit trail."),
        instrument(
            .counter,
            "tokencached_audit_records_lost_total",
            "Records that could not be written to the audit trail."
        ),
        instrument(
            .counter,
            "tokencached_reloads_total",
            "Reloads of the configuration by outcome.",
            labels: ["outcome"]
        ),
        instrument(
            .gauge,
            "tokencached_last_reload_successful",
            "1, or 0 if the last reload found a fault in the configuration."
        ),
        instrument(
            .gauge,
            "tokencached_last_reload_success_timestamp_seconds",
            "Time at which a configuration was last put into force, at the start or by a reload, in seconds since 1970."
        ),
    ]
}
