import OperatorReplies
import PrometheusMetrics
import SocketServer
import TokenCache

extension DaemonMetric {
    static let cache: [DaemonMetric] = [
        gauge("tokencached_entries", "Cached tokens.") { .integer($0.server.stats.entries) },
        gauge("tokencached_entries_max", "Limit of cached tokens.") { .integer($0.cache.maxEntries) },
        gauge("tokencached_negative_entries", "Users whose denial by a tenant is remembered.") {
            .integer($0.server.stats.negativeEntries)
        },
        gauge("tokencached_cache_bytes", "Approximate memory of the cached tokens and their keys.") {
            .integer($0.server.stats.bytes)
        },
        series(
            .counter,
            "tokencached_evictions_total",
            "Tokens that were removed from the cache, by cause.",
            labels: ["cause"]
        ) { $0.server.stats.evictions.map { MetricSeries([$0], .integer($1)) } },
        gauge("tokencached_persisted_tokens", "Cached tokens that are kept for the next daemon.") {
            .integer($0.cache.persisted)
        },
        gauge("tokencached_restored_tokens", "Tokens that were taken over from the last daemon.") {
            .integer($0.cache.restored)
        },
    ]
}
