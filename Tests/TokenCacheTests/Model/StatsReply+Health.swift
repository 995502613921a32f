extension StatsReply.Tenant {
    /// The worst status of the tenant's checks, as `health` shows them.
    package var health: HealthReply.Status {
        if client == .denied || refusedClients > 0 { return .failing }
        return state == .closed && hold == nil && client == .trusted ? .ok : .degraded
    }
}
