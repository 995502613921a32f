import TokenCache

/// The view of the state from outside.
extension FleetCoordinator {
    /// The state for operators.
    var status: FleetStatus {
        var status = FleetStatus()
        status.tenants = tenants.mapValues { tenant in
            FleetStatus.Tenant(
                isConnected: tenant.state == .connected,
                since: tenant.since,
                epoch: tenant.node.flatMap { nodes[$0]?.epoch },
                eventsBehind: tenant.cursor.behind
            )
        }
        status.machines = presence.machines
        (status.keys, status.settledSince) = (presence.keys, presence.settledSince)
        status.isCircuitOpen = nodes.values.contains { $0.machine.circuit.state != .closed }
        status.circuitOpenings = nodes.values.reduce(0) { $0 + $1.machine.circuit.openings }
        status.calls = counters.calls
        status.failed = counters.failed
        status.opened = counters.opened
        status.notOpened = counters.notOpened
        status.eventsNotOpened = counters.eventsNotOpened
        status.lastFault = counters.lastFault
        return status
    }

    /// The last event of each tenant that has been passed on.
    var places: [TenantID: FleetPlace] { tenants.compactMapValues(\.cursor.place) }
}
