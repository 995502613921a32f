package import OperatorReplies

/// The daemon's counters that show trouble of the past.
package struct ActivityFacts: Sendable {
    package var stats: StatsReply
    /// The number of audit records that were lost, or nil if it isn't known.
    package var lostRecords: Int?
    /// The tenants that are examined.
    package var tenants: [String]

    /// Creates facts.
    package init(stats: StatsReply, lostRecords: Int?, tenants: [String]) {
        self.stats = stats
        self.lostRecords = lostRecords
        self.tenants = tenants
    }
}

extension ActivityFacts {
    /// The share of late refreshes from which something is wrong: single ones are late after a suspend or an outage.
    private static let tolerableLateShare = 0.05

    /// The findings.
    package var findings: [Finding] {
        tenants.sorted().compactMap(lastCalls) + [refreshes] + (audit.map { [$0] } ?? [])
    }

    private func lastCalls(_ name: String) -> Finding? {
        guard let tenant = stats.tenants[name] else { return nil }
        guard let error = tenant.lastError, error.ago < tenant.lastSuccess ?? .infinity else {
            guard let last = tenant.lastSuccess else {
                return .ok(.activity, name, "no call was made since the daemon's start")
            }
            return .ok(.activity, name, "the last call succeeded \(Self.text(last)) ago")
        }
        let success = tenant.lastSuccess.map { "the last success was \(Self.text($0)) ago" } ?? "none has succeeded"
        let found = "the last call failed \(Self.text(error.ago)) ago, \(success): \(error.code): \(error.description)"
        // A denial is about one user as a rule. If it is about all, the client's state in `health` says so.
        if error.code == "denied", tenant.lastSuccess != nil { return .ok(.activity, name, found) }
        return .warning(.activity, name, found, "tokencachectl health; journalctl -u tokencached -p warning")
    }

    private var refreshes: Finding {
        let (done, late) = (stats.refreshes.done, stats.refreshes.late)
        let found = "\(done) refreshes done, \(late) of them late, in \(Self.text(stats.uptime))"
        guard Double(late) > Double(done) * Self.tolerableLateShare else { return .ok(.activity, nil, found) }
        return .warning(
            .activity,
            nil,
            found,
            "the tenant was down, or its rate is too low for the users: tokencachectl stats shows queues and rate"
        )
    }

    private var audit: Finding? {
        guard let lostRecords, lostRecords > 0 else { return nil }
        return .warning(
            .activity,
            nil,
            "\(lostRecords) records of the audit trail were lost",
            "see the disk or the journal that takes them; the trail itself names the gaps"
        )
    }

    private static func text(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(Int(max(0, seconds))) s"
        case ..<7_200: "\(Int(seconds / 60)) min"
        case ..<1e9: "\(Int(seconds / 3_600)) h"
        default: "years"
        }
    }
}
