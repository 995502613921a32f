import OperatorReplies
import PrometheusMetrics
import SocketServer

extension DaemonMetric {
    static let connections: [DaemonMetric] = [
        series(.gauge, "tokencached_connections", "Open connections by socket.", labels: ["socket"]) { snapshot in
            let connections = snapshot.server.stats.connections
            return [
                MetricSeries(["requests"], .integer(connections.open - connections.admin)),
                MetricSeries(["admin"], .integer(connections.admin)),
            ]
        },
        gauge("tokencached_connections_max", "Limit of open connections over both sockets.") {
            .integer($0.server.stats.connections.max)
        },
        counter("tokencached_connections_accepted_total", "Connections that were accepted.") {
            $0.server.stats.connections.accepted
        },
        counter(
            "tokencached_connections_rejected_total",
            "Connections that were rejected, or closed for another user's."
        ) { $0.server.stats.connections.rejected },
    ]

    static let users: [DaemonMetric] = [
        perUID(.gauge, "tokencached_uid_connections", "Open connections by uid.") { $0.connections },
        perUID(.gauge, "tokencached_uid_waiting", "Requests that wait for a tenant, by uid.") { $0.waiting },
        perUID(.gauge, "tokencached_uid_entries", "Cached tokens that count as a uid's.") { $0.entries },
        perUID(.counter, "tokencached_uid_requests_total", "Requests by uid.", others: \.requestsOfOtherUsers) {
            $0.requests
        },
        perUID(
            .counter,
            "tokencached_uid_overloaded_total",
            "Requests and connections by uid that were rejected or displaced because others needed the resources."
        ) { $0.overloaded },
    ]

    /// Declares a metric by uid.
    ///
    /// - Parameter others: The number of what is not counted by uid.
    private static func perUID(
        _ kind: MetricFamily.Kind,
        _ name: String,
        _ help: String,
        others: @escaping @Sendable (ServerSnapshot) -> Int = { _ in 0 },
        _ value: @escaping @Sendable (StatsReply.Usage) -> Int
    ) -> DaemonMetric {
        series(kind, name, help, labels: ["uid"]) { snapshot in
            let usage = snapshot.server.stats.uids
            let all = usage.values.reduce(others(snapshot.server)) { $0 + value($1) }
            let shown = snapshot.shownUIDs.map { ($0, usage[$0].map(value) ?? 0) }
            let rest = all - shown.reduce(0) { $0 + $1.1 }
            return shown.map { MetricSeries([String($0)], .integer($1)) }
                + [MetricSeries([MetricFamily.other], .integer(rest))]
        }
    }
}
