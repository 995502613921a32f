/// Writes what operators see.
enum StatsEncoder {
    static func write(_ stats: StatsReply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("uptime", stats.uptime, &output)
        writer.member("version", stats.version, &output)
        writer.member("entries", stats.entries, &output)
        writer.member("negative_entries", stats.negativeEntries, &output)
        writer.member("bytes", stats.bytes, &output)
        writer.member("requests", &output) { writer, output in requests(stats, &writer, &output) }
        writer.member("mints", &output) { writer, output in mints(stats.mints, &writer, &output) }
        writer.member("refreshes", &output) { writer, output in
            writer.member("due", stats.refreshes.due, &output)
            writer.member("done", stats.refreshes.done, &output)
            writer.member("late", stats.refreshes.late, &output)
            writer.member("skipped_idle", stats.refreshes.skippedIdle, &output)
        }
        writer.member("evictions", stats.evictions, &output)
        writer.member("connections", &output) { writer, output in
            writer.member("open", stats.connections.open, &output)
            writer.member("accepted", stats.connections.accepted, &output)
            writer.member("refused", stats.connections.refused, &output)
            writer.member("unsent", stats.connections.unsent, &output)
        }
        writer.member("uids", &output) { writer, output in
            for (uid, share) in stats.uids.sorted(by: { $0.key < $1.key }) {
                writer.member(String(uid), &output) { writer, output in
                    writer.member("connections", share.connections, &output)
                    writer.member("waiting", share.waiting, &output)
                    writer.member("entries", share.entries, &output)
                    writer.member("overloaded", share.overloaded, &output)
                }
            }
        }
        writer.member("latency", &output) { writer, output in
            latency("hits", stats.hitLatency, &writer, &output)
            latency("mints", stats.mintLatency, &writer, &output)
        }
        writer.optional("next_refresh", stats.nextRefresh, &output)
        writer.member("tenants", &output) { writer, output in
            for (name, tenant) in stats.tenants.sorted(by: { $0.key < $1.key }) {
                writer.member(name, &output) { writer, output in self.tenant(tenant, &writer, &output) }
            }
        }
    }

    private static func requests(_ stats: StatsReply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        for (name, count) in stats.requestsByOperation.sorted(by: { $0.key < $1.key }) {
            writer.member(name, count, &output)
        }
        writer.member("hit", stats.hits, &output)
        writer.member("miss", stats.misses, &output)
        writer.member("coalesced", stats.coalesced, &output)
        writer.member("negative", stats.negatives, &output)
        writer.member("error", stats.errors, &output)
    }

    private static func mints(_ mints: StatsReply.Mints, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("started", mints.started, &output)
        writer.member("succeeded", mints.succeeded, &output)
        writer.member("failed", mints.failed, &output)
        writer.member("in_flight", mints.inFlight, &output)
        writer.member("queued", &output) { writer, output in
            writer.member("foreground", mints.queuedForeground, &output)
            writer.member("ahead", mints.queuedAhead, &output)
        }
    }

    private static func latency(
        _ name: String,
        _ latency: StatsReply.Latency,
        _ writer: inout JSONWriter,
        _ output: inout OutputBuffer
    ) {
        writer.member(name, &output) { writer, output in
            writer.member("p50", latency.p50, &output)
            writer.member("p90", latency.p90, &output)
            writer.member("p99", latency.p99, &output)
            writer.member("p999", latency.p999, &output)
            writer.member("max", latency.max, &output)
        }
    }

    private static func tenant(_ tenant: StatsReply.Tenant, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("state", tenant.state, &output)
        writer.optional("open_for", tenant.opensFor, &output)
        writer.member("openings", tenant.circuitOpenings, &output)
        writer.optional("hold", tenant.hold, &output)
        writer.member("client", tenant.client, &output)
        writer.member("rate_tokens", tenant.rateTokens, &output)
        writer.member("in_flight", tenant.inFlight, &output)
        writer.member("queued", &output) { writer, output in
            writer.member("callers", tenant.queued.callers, &output)
            writer.member("prefetches", tenant.queued.prefetches, &output)
            writer.member("refreshes", tenant.queued.refreshes, &output)
        }
        writer.optional("last_success", tenant.lastSuccess, &output)
        writer.optional("last_error", tenant.lastError, &output) { error, writer, output in
            writer.member("error", error.code.rawValue, &output)
            writer.member("error_description", error.description, &output)
            writer.member("ago", error.ago, &output)
        }
    }
}
