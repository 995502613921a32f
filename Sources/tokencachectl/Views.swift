import SafeText

/// Lays statistics out for people.
package struct StatsView {
    private let stats: StatsDocument

    package init(_ stats: StatsDocument) { self.stats = stats }

    /// A block of aligned lines.
    package var text: String {
        var rows: [(String, String)] = []
        rows.append(("daemon", "\(stats.version ?? "?"), up \(Self.time(stats.uptime))"))
        rows.append(
            (
                "tokens",
                "\(stats.entries ?? 0), \((stats.bytes ?? 0) / 1_024) KiB; \(stats.negativeEntries ?? 0) refused users"
            )
        )
        if let requests = stats.requests { rows += self.requests(requests) }
        if let mints = stats.mints { rows += self.mints(mints) }
        if let refreshes = stats.refreshes { rows.append(("refreshes", self.refreshes(refreshes))) }
        rows.append(("evictions", Self.counts(stats.evictions)))
        if let connections = stats.connections {
            rows.append(
                (
                    "connections",
                    "\(connections.open ?? 0) open, \(connections.accepted ?? 0) accepted, \(connections.refused ?? 0) refused"
                )
            )
        }
        for (uid, share) in (stats.uids ?? [:]).sorted(by: { Int($0.key) ?? 0 < Int($1.key) ?? 0 }) {
            rows.append(("uid \(uid)", Self.share(share)))
        }
        rows.append(("hits took", Self.quantiles(stats.latency?.hits)))
        rows.append(("mints took", Self.quantiles(stats.latency?.mints)))
        for (name, tenant) in (stats.tenants ?? [:]).sorted(by: { $0.key < $1.key }) {
            rows.append(("tenant \(name.printable)", Self.tenant(tenant)))
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }.joined(separator: "\n")
    }

    private func requests(_ requests: StatsDocument.Requests) -> [(String, String)] {
        let (hits, misses) = (requests.hit ?? 0, (requests.miss ?? 0).addingWithoutTrap(requests.coalesced ?? 0))
        let share =
            Double(hits) + Double(misses) > 0
            ? " (\(Int(clamping: Double(hits) * 100 / (Double(hits) + Double(misses)))) % of those for tokens)" : ""
        return [
            ("hits", "\(hits)\(share)"),
            ("misses", "\(requests.miss ?? 0), and \(requests.coalesced ?? 0) that shared a mint"),
            ("errors", Self.counts(requests.error)),
        ]
    }

    private func mints(_ mints: StatsDocument.Mints) -> [(String, String)] {
        let queued = mints.queued
        return [
            (
                "mints",
                "\(mints.started ?? 0) started, \(mints.succeeded ?? 0) succeeded, \(mints.inFlight ?? 0) under way, "
                    + "\(queued?.foreground ?? 0) callers' and \(queued?.ahead ?? 0) others queued"
            ),
            ("failed", Self.counts(mints.failed)),
        ]
    }

    private func refreshes(_ refreshes: StatsDocument.Refreshes) -> String {
        let next = stats.nextRefresh.map { ", next in \(Self.time($0))" } ?? ""
        return "\(refreshes.due ?? 0) due, \(refreshes.done ?? 0) done, \(refreshes.late ?? 0) late, "
            + "\(refreshes.skippedIdle ?? 0) left out as idle\(next)"
    }

    private static func tenant(_ tenant: StatsDocument.Tenant) -> String {
        var parts = ["circuit \((tenant.state ?? "?").printable)"]
        if let seconds = tenant.openFor { parts.append("tried again in \(time(seconds))") }
        if let seconds = tenant.hold { parts.append("wants no calls for \(time(seconds))") }
        if let client = tenant.client, client != "trusted" { parts.append("client \(client.printable)") }
        parts.append("\(Int(clamping: tenant.rateTokens ?? 0)) calls at hand")
        if let queued = tenant.queued {
            parts.append(
                "queued \(queued.callers ?? 0) callers', \(queued.prefetches ?? 0) prefetches, "
                    + "\(queued.refreshes ?? 0) refreshes"
            )
        }
        parts.append(tenant.lastSuccess.map { "last success \(time($0)) ago" } ?? "no success yet")
        if let error = tenant.lastError {
            parts.append(
                "last error \(time(error.ago)) ago: \((error.errorDescription ?? error.error ?? "?").printable)"
            )
        }
        return parts.joined(separator: ", ")
    }

    private static func counts(_ counts: [String: Int]?) -> String {
        let some = (counts ?? [:]).filter { $0.value > 0 }.sorted { $0.key < $1.key }
        return some.isEmpty ? "none" : some.map { "\($0.value) \($0.key.printable)" }.joined(separator: ", ")
    }

    private static func share(_ share: StatsDocument.Share) -> String {
        "\(share.connections ?? 0) connections, \(share.waiting ?? 0) waiting, \(share.entries ?? 0) tokens, "
            + "\(share.overloaded ?? 0) refused for others' sake"
    }

    private static func quantiles(_ quantiles: StatsDocument.Quantiles?) -> String {
        guard let quantiles, (quantiles.max ?? 0) > 0 else { return "none yet" }
        return "p50 \(time(quantiles.p50)), p99 \(time(quantiles.p99)), p99.9 \(time(quantiles.p999)), "
            + "longest \(time(quantiles.max))"
    }

    /// A duration in the unit that reads best.
    static func time(_ seconds: Double?) -> String {
        guard let seconds else { return "?" }
        switch seconds {
        case ..<0.001: return "\(Int(clamping: (seconds * 1_000_000).rounded())) µs"
        case ..<1: return "\((seconds * 10_000).rounded() / 10) ms"
        case ..<120: return "\((seconds * 10).rounded() / 10) s"
        case ..<7_200: return "\(Int(clamping: seconds / 60)) min"
        default: return "\(Int(clamping: seconds / 3_600)) h \(Int(clamping: seconds / 60) % 60) min"
        }
    }
}

/// Lays a page of the cache out as a table.
package struct EntriesView {
    private let page: EntriesDocument

    package init(_ page: EntriesDocument) { self.page = page }

    /// The table, and how to go on where there is more.
    package var text: String {
        let head = ["TENANT", "USER", "SCOPE", "STATE", "AGE", "LEFT", "LAST USED", "TOKEN"]
        let rows = [head] + page.entries.map(row)
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return cells.joined(separator: "  ").trimmingSpaces
        }
        let more = page.next.map { ["more: --after \($0.printable)"] } ?? []
        return (lines + more).joined(separator: "\n")
    }

    private func row(_ entry: EntriesDocument.Entry) -> [String] {
        [
            entry.tenant.printable, entry.userID.map { "id:\($0.printable)" } ?? (entry.subject ?? "?").printable,
            entry.scope.printable, entry.state.printable, StatsView.time(Double(entry.age)),
            StatsView.time(Double(entry.expiresIn)), entry.lastUsed.map { StatsView.time(Double($0)) } ?? "never",
            entry.fingerprint.printable,
        ]
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = Substring(self)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

extension Int {
    /// The nearest whole number to what a server says, whatever that is; nothing for what is no number.
    init(clamping number: Double) {
        self = Int(exactly: number.rounded(.towardZero)) ?? (number > 0 ? .max : number < 0 ? .min : 0)
    }

    fileprivate func addingWithoutTrap(_ other: Int) -> Int {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
