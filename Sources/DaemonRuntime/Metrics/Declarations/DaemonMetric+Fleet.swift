import OperatorReplies
import PrometheusMetrics
import SocketServer

/// The metrics of a daemon in a fleet. Without one they have no series.
extension DaemonMetric {
    private typealias Fleet = StatsReply.Fleet

    static let fleet: [DaemonMetric] = fleetState + fleetCounts

    private static let fleetState: [DaemonMetric] = [
        gauge("tokencached_fleet_connected", "1 if the fleet's engine answers for every tenant, otherwise 0.") {
            $0.server.stats.fleet.map { .integer($0.isConnected ? 1 : 0) }
        },
        gauge("tokencached_fleet_tenants_away", "Tenants for which the fleet's engine does not answer.") {
            $0.server.stats.fleet.map { .integer($0.tenantsAway) }
        },
        gauge("tokencached_fleet_machines", "Machines of the fleet that were seen in the last minute.") {
            $0.server.stats.fleet.map { .integer($0.machines) }
        },
        gauge("tokencached_fleet_circuit_open", "1 if the fleet's engine is not asked for a while, otherwise 0.") {
            $0.server.stats.fleet.map { .integer($0.circuit == .open ? 1 : 0) }
        },
        gauge("tokencached_fleet_events_behind", "Events of the fleet that this machine has not read yet.") {
            $0.server.stats.fleet.map { .integer($0.eventsBehind) }
        },
    ]

    private static let fleetCounts: [DaemonMetric] = [
        ofFleet("tokencached_fleet_hits_total", "Tokens that another machine of the fleet had minted.") {
            [MetricSeries(.integer($0.hits))]
        },
        ofFleet("tokencached_fleet_mints_left_total", "Mints that were left to another machine, whose token came.") {
            [MetricSeries(.integer($0.leftToOthers))]
        },
        ofFleet(
            "tokencached_fleet_drops_total",
            "Drops of tokens that this machine has told the fleet of, or was told of.",
            labels: ["direction"]
        ) {
            [
                MetricSeries(["sent"], .integer($0.dropsSent)),
                MetricSeries(["received"], .integer($0.dropsReceived)),
            ]
        },
        ofFleet("tokencached_fleet_calls_total", "Calls to the fleet's engine.") { [MetricSeries(.integer($0.calls))] },
        ofFleet(
            "tokencached_fleet_calls_failed_total",
            "Calls to the fleet's engine that failed, by kind.",
            labels: ["kind"]
        ) { $0.failed.map { MetricSeries([$0], .integer($1)) } },
        ofFleet(
            "tokencached_fleet_values_opened_total",
            "Values of the fleet that were opened, by the position of the key in its file.",
            labels: ["key"]
        ) { positions($0) { $0.opened } },
        ofFleet(
            "tokencached_fleet_values_not_opened_total",
            "Values of the fleet that did not open, by the position of the key in its file.",
            labels: ["key"]
        ) { positions($0) { $0.notOpened } },
    ]

    private static func ofFleet(
        _ name: String,
        _ help: String,
        labels: [String] = [],
        _ read: @escaping @Sendable (StatsReply.Fleet) -> [MetricSeries]
    ) -> DaemonMetric {
        series(.counter, name, help, labels: labels) { $0.server.stats.fleet.map(read) ?? [] }
    }

    private static func positions(_ fleet: Fleet, _ count: (Fleet.Key) -> Int) -> [MetricSeries] {
        fleet.keys.enumerated().map { MetricSeries([String($0 + 1)], .integer(count($1))) }
    }
}
