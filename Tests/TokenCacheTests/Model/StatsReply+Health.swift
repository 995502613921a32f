import OperatorReplies

extension StatsReply.Tenant {
    /// The worst status of the checks of a tenant's tokens, as far as the statistics show it.
    var health: HealthReply.Status {
        if client == .denied || refusedClients > 0 { return .failing }
        return state == .closed && hold == nil && client == .trusted ? .ok : .degraded
    }
}
