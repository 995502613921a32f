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
        status.version = nodes.values.compactMap { $0.readySession?.version }.min()
        status.machines = presence.machines
        status.keys = keyIDs.enumerated().map { position, id in
            FleetStatus.Key(
                id: id,
                machines: presence.keys[id]?.machines ?? 0,
                sealing: presence.keys[id]?.sealing ?? 0,
                opened: counters.opened[position] ?? 0,
                notOpened: counters.notOpened[position] ?? 0
            )
        }
        status.settledSince = presence.settledSince
        status.isCircuitOpen = nodes.values.contains { $0.machine.circuit.state != .closed }
        status.circuitOpenings = nodes.values.reduce(0) { $0 + $1.machine.circuit.openings }
        status.calls = counters.calls
        status.failed = counters.failed
        status.eventsNotOpened = counters.eventsNotOpened
        status.lastFault = counters.lastFault
        return status
    }

    /// The last event of each tenant that has been passed on.
    var places: [TenantID: FleetPlace] { tenants.compactMapValues(\.cursor.place) }
}
