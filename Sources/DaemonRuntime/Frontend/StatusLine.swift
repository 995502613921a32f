package import OperatorReplies
import TokenCache

/// The daemon's state in one line, for `systemctl status`.
package enum StatusLine {
    /// The line for a set of statistics.
    package static func text(_ stats: StatsReply) -> String {
        let tenants = stats.tenants.sorted { $0.key < $1.key }.map { "\($0.key) \(state($0.value))" }
        return "\(stats.entries) tokens, \(stats.mints.inFlight) mints under way; tenants: "
            + tenants.joined(separator: ", ")
    }

    private static func state(_ tenant: StatsReply.Tenant) -> String {
        if tenant.client == .denied { return "refuses the client" }
        if tenant.state != .closed { return "fails" }
        return tenant.hold == nil ? "well" : "wants no calls for a while"
    }
}

extension Frontend {
    /// The daemon's state in one line.
    package var status: String {
        get async { StatusLine.text(await cache.stats(now: ContinuousClock.now)) }
    }
}
