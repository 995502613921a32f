package import OperatorReplies
import TokenCache

/// The daemon's state in one line, for `systemctl status`.
package enum StatusLine {
    /// The line for a set of statistics.
    package static func text(_ stats: StatsReply) -> String {
        "\(stats.entries) tokens, \(stats.mints.inFlight) mints under way; tenants: \(tenants(stats.tenants))"
    }

    /// The tenants with their states: those that aren't well first if there are too many for a line.
    private static func tenants(_ tenants: [String: StatsReply.Tenant]) -> String {
        let all = tenants.sorted { $0.key < $1.key }.map { (name: $0.key, state: state($0.value)) }
        guard all.count > maxTenants else { return all.map { "\($0.name) \($0.state)" }.joined(separator: ", ") }
        let unwell = all.filter { $0.state != well }
        let shown = unwell.prefix(maxTenants).map { "\($0.name) \($0.state)" }
        let more = unwell.count > maxTenants ? ["\(unwell.count - maxTenants) more not \(well)"] : []
        return (shown + more + ["\(all.count - unwell.count) \(well)"]).joined(separator: ", ")
    }

    /// The most tenants that are named.
    private static let maxTenants = 20
    private static let well = "well"

    private static func state(_ tenant: StatsReply.Tenant) -> String {
        if tenant.client == .denied { return "refuses the client" }
        if tenant.state != .closed { return "fails" }
        return tenant.hold == nil ? well : "wants no calls for a while"
    }
}

extension Frontend {
    /// The daemon's state in one line.
    package var status: String {
        get async { StatusLine.text(await cache.stats(now: ContinuousClock.now)) }
    }
}
