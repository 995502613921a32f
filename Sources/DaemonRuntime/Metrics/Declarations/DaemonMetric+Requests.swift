import OperatorReplies
import PrometheusMetrics
import SocketServer
import TokenCache
import TokenProtocol

extension DaemonMetric {
    /// The bounds of a hit's latency in seconds.
    ///
    /// A hit takes some tens of microseconds, and a millisecond in a large batch. More means that the machine is
    /// overloaded, up to the second after which an application has noticed.
    private static let hitBounds = [
        0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
    ]
    /// The bounds of a wait in seconds, up to a request's longest timeout.
    ///
    /// The default timeout is among them, so that the callers who waited as long can be counted.
    private static let waitBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

    static let requests: [DaemonMetric] = [
        series(
            .counter,
            "tokencached_requests_total",
            "Requests by operation and outcome, each counted when it is answered or its connection is closed.",
            labels: ["op", "outcome"]
        ) { $0.server.answeredSeries },
        series(
            .counter,
            "tokencached_token_lookups_total",
            "Requests for tokens by what the cache had: the token, nothing, a mint under way, or a recent refusal.",
            labels: ["result"]
        ) { snapshot in
            let requests = snapshot.server.stats.requests
            return [
                MetricSeries(["hit"], .integer(requests.hits)), MetricSeries(["miss"], .integer(requests.misses)),
                MetricSeries(["coalesced"], .integer(requests.coalesced)),
                MetricSeries(["negative"], .integer(requests.negatives)),
            ]
        },
        histogram(
            "tokencached_hit_duration_seconds",
            "Time from the read that brought a request to the write that took its token from the cache.",
            bounds: hitBounds
        ) { $0.cache.hits },
        histogram(
            "tokencached_request_wait_seconds",
            "Time that callers waited for a token that was not cached, however the wait ended.",
            bounds: waitBounds
        ) { $0.cache.waits },
        series(
            .histogram(bounds: LifetimeHistogram.bounds.map(Double.init)),
            "tokencached_token_lifetime_left_seconds",
            "Lifetime that tokens had left when they were handed out, in whole seconds.",
            labels: []
        ) { snapshot in
            let lifetimes = snapshot.cache.lifetimes
            let value = HistogramValue(
                upToBounds: lifetimes.upToBounds,
                count: lifetimes.count,
                sum: Double(lifetimes.sum)
            )
            return [MetricSeries(.histogram(value))]
        },
        gauge("tokencached_waiting_requests", "Requests that wait for a tenant.") { .integer($0.cache.waiting) },
    ]
}

extension ServerSnapshot {
    /// The answered requests, with a zero for each kind that can be expected.
    fileprivate var answeredSeries: [MetricSeries] {
        var counts = answered
        for kind in RequestCounters.Kind.expected where counts[kind] == nil { counts[kind] = 0 }
        return counts.map { kind, count in
            MetricSeries([kind.operation?.rawValue ?? "unknown", kind.outcome.label], .integer(count))
        }
    }
}

extension RequestCounters.Kind {
    /// The kinds that are shown before they first occur, so that an alert sees their first increase.
    fileprivate static let expected: [Self] =
        OperationName.allCases.flatMap { name in outcomes(of: name).map { Self(name, $0) } }
        + [.invalidRequest, .unsupportedOperation].map { Self(nil, .error($0)) }

    private static func outcomes(of operation: OperationName) -> [RequestOutcome] {
        let common: [RequestOutcome] = [.error(.forbidden), .error(.unknownTenant), .error(.shuttingDown)]
        let waiting: [RequestOutcome] = [.error(.overloaded), .cancelled]
        return switch operation {
        case .token:
            [.hit, .minted, .stale] + common + waiting
                + [.denied, .rateLimited, .unavailable, .timeout, .badUpstream].map { .error($0) }
        case .reload: [.ok, .error(.invalidConfiguration)] + common + waiting
        case .revoke, .metrics: [.ok] + common + waiting
        default: [.ok] + common
        }
    }
}
