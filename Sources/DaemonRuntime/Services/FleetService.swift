import ServiceLifecycle

/// Logs every second what operators have to know of the fleet, if there is one.
package struct FleetService: DaemonService {
    private static let interval = Duration.seconds(1)

    private let fleet: FleetMembership

    /// Prepares the service.
    package init(_ fleet: FleetMembership) { self.fleet = fleet }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                guard !Task.isCancelled else { return }
                fleet.report(now: .now)
            }
        }
    }
}
