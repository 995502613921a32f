package import OperatorReplies
import SafeText

/// Lays statistics out for people.
package struct StatsView {
    private let stats: StatsReply
    private let rates: StatsRates?
    let display: Display
    private var style: Style { display.style }

    /// Creates a view of statistics.
    ///
    /// - Parameters:
    ///   - rates: The rates since an earlier look, or nil if there was none.
    ///   - display: The form of the output.
    package init(_ stats: StatsReply, rates: StatsRates? = nil, _ display: Display = .plain) {
        self.stats = stats
        self.rates = rates
        self.display = display
    }

    /// Aligned lines: the daemon, its work, each local user and each tenant.
    package var text: String {
        var rows = AlignedRows(display)
        rows.add("daemon", "\((stats.version ?? "unknown version").printable), up \(stats.uptime.durationText)")
        rows.add("tokens", "\(stats.entries), \(stats.bytes / 1_024) KiB; \(stats.negativeEntries) refused users")
        if let rates { rows.add("now", Self.text(of: rates)) }
        addRequests(to: &rows)
        addMints(to: &rows)
        if let users = stats.users { rows.add("users", Self.text(of: users)) }
        if let fleet = stats.fleet { rows.add("fleet", FleetView(fleet, display).summary) }
        addConnections(to: &rows)
        rows.add("hits took", Self.text(of: stats.latency.hits))
        rows.add("mints took", Self.text(of: stats.latency.mints))
        for (name, tenant) in stats.tenants.sorted(by: { $0.key < $1.key }) {
            rows.add("tenant \(name.printable)", text(of: tenant))
        }
        return rows.text
    }

    private func addRequests(to rows: inout AlignedRows) {
        let requests = stats.requests
        let total = Double(requests.hits) + Double(requests.misses) + Double(requests.coalesced)
        let share = total > 0 ? " (\(Int(nearest: Double(requests.hits) * 100 / total)) % of token requests)" : ""
        rows.add("hits", "\(requests.hits)\(share)")
        rows.add("misses", "\(requests.misses), and \(requests.coalesced) that shared a mint")
        rows.add("errors", failures(requests.errors))
    }

    private func addMints(to rows: inout AlignedRows) {
        let (mints, refreshes) = (stats.mints, stats.refreshes)
        rows.add(
            "mints",
            "\(mints.started) started, \(mints.succeeded) succeeded, \(mints.inFlight) in flight, "
                + "\(mints.queued.foreground) queued for callers, \(mints.queued.ahead) queued in the background"
        )
        rows.add("failed", failures(mints.failed))
        let next = stats.nextRefresh.map { ", next in \($0.durationText)" } ?? ""
        rows.add(
            "refreshes",
            "\(refreshes.due) due, \(refreshes.done) done, \(refreshes.late) late, "
                + "\(refreshes.skippedIdle) skipped as idle\(next)"
        )
        rows.add("evictions", Self.text(of: stats.evictions))
    }

    private func addConnections(to rows: inout AlignedRows) {
        let connections = stats.connections
        rows.add(
            "connections",
            "\(connections.open) open, \(connections.accepted) accepted, \(connections.rejected) rejected"
        )
        for (uid, usage) in stats.uids.sorted(by: { $0.key < $1.key }) {
            rows.add(
                "uid \(uid)",
                "\(usage.connections) connections, \(usage.waiting) waiting, \(usage.entries) tokens, "
                    + "\(usage.overloaded) rejected or displaced"
            )
        }
    }

    private func failures(_ counts: [String: Int]) -> String {
        let text = Self.text(of: counts)
        return counts.values.contains { $0 > 0 } ? style.yellow(text) : text
    }

    private static func text(of rates: StatsRates) -> String {
        let hits = rates.hitShare.map { " (\(Int(nearest: $0 * 100)) % hits)" } ?? ""
        return "\(rates.requests.rateText) token requests\(hits), \(rates.mints.rateText) mints, "
            + "\(rates.errors.rateText) errors a second"
    }

    private static func text(of users: StatsReply.Users) -> String {
        "\(users.created) created, \(users.changed) put into other groups, \(users.found) found as requested, "
            + "\(users.remembered) remembered, \(users.refused) refused, \(users.underWay) under way; "
            + "\(users.tokensRevoked) tokens revoked everywhere"
    }

    private static func text(of counts: [String: Int]) -> String {
        let counted = counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        return counted.isEmpty ? "none" : counted.map { "\($0.value) \($0.key.printable)" }.joined(separator: ", ")
    }

    private static func text(of latency: StatsReply.Latency) -> String {
        guard latency.max > 0 else { return "none yet" }
        return "p50 \(latency.p50.durationText), p99 \(latency.p99.durationText), "
            + "p99.9 \(latency.p999.durationText), longest \(latency.max.durationText)"
    }
}
