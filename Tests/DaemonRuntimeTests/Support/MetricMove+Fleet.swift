import OperatorReplies

extension MetricMove {
    static let fleet: [MetricMove] = [
        ofFleet("tokencached_fleet_connected") { $0.isConnected = true },
        ofFleet("tokencached_fleet_tenants_away") { $0.tenantsAway = 1 },
        ofFleet("tokencached_fleet_machines") { $0.machines = 2 },
        ofFleet("tokencached_fleet_circuit_open") { $0.circuit = .open },
        ofFleet("tokencached_fleet_events_behind") { $0.eventsBehind = 3 },
        ofFleet("tokencached_fleet_hits_total") { $0.hits = 1 },
        ofFleet("tokencached_fleet_mints_left_total") { $0.leftToOthers = 1 },
        ofFleet("tokencached_fleet_drops_total") { $0.dropsReceived = 1 },
        ofFleet("tokencached_fleet_calls_total") { $0.calls = 1 },
        ofFleet("tokencached_fleet_calls_failed_total") { $0.failed["timeout"] = 1 },
        ofFleet("tokencached_fleet_values_opened_total") { $0.keys = [.init(id: "a"), .used] },
        ofFleet("tokencached_fleet_values_not_opened_total") { $0.keys = [.used] },
    ]

    private static func ofFleet(
        _ name: String,
        _ change: @escaping @Sendable (inout StatsReply.Fleet) -> Void
    ) -> MetricMove {
        cache(name) { moved in
            var fleet = moved.fleet ?? StatsReply.Fleet()
            change(&fleet)
            moved.fleet = fleet
        }
    }
}

extension StatsReply.Fleet.Key {
    fileprivate static var used: Self {
        var key = Self(id: "b")
        (key.opened, key.notOpened) = (1, 1)
        return key
    }
}
