import TokenProtocol

/// The daemon in one line, for `systemctl status`.
enum StatusLine {
    static func text(_ stats: StatsReply) -> String {
        let tenants = stats.tenants.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.state)" }
        return "\(stats.entries) tokens, \(stats.mints.inFlight) mints under way; tenants: "
            + tenants.joined(separator: ", ")
    }
}
