extension StatsReply.Fleet {
    /// The check of the fleet for `health`.
    ///
    /// A fleet that is away is never failing: callers get their tokens as without it.
    package var check: HealthReply.Check {
        guard !isConnected else { return HealthReply.Check(name: "fleet", tenant: nil, status: .ok) }
        let tenants = tenantsAway == 1 ? "one tenant" : "\(tenantsAway) tenants"
        return HealthReply.Check(
            name: "fleet",
            tenant: nil,
            status: .degraded,
            description: """
                the engine does not answer for \(tenants): nothing of theirs is shared with other machines, and this \
                machine keeps to its share of their rate
                """,
            since: since
        )
    }
}
