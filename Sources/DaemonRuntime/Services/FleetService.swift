import ServiceLifecycle

/// Logs every second what operators have to know of the fleet, and keeps for the next daemon how far its events have been read.
package struct FleetService: DaemonService {
    private static let interval = Duration.seconds(1)

    private let frontend: Frontend
    private let fleet: FleetMembership

    /// Prepares the service.
    package init(_ frontend: Frontend, _ fleet: FleetMembership) {
        self.frontend = frontend
        self.fleet = fleet
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                guard !Task.isCancelled else { return }
                fleet.report(now: .now)
                await fleet.keepPlaces(frontend)
            }
        }
    }
}
