import ServiceLifecycle
package import TokenCache

/// Checks the counts of connections every few seconds, and logs the reports of incidents that are due.
///
/// An application that connects too often therefore costs the log nothing.
package struct IncidentService: DaemonService {
    private static let interval = Duration.seconds(2)

    private let frontend: Frontend
    private let incidents: OwnIncidents

    /// Prepares the service.
    package init(_ frontend: Frontend, _ incidents: OwnIncidents) {
        self.frontend = frontend
        self.incidents = incidents
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                guard !Task.isCancelled else { return }
                await check(now: .now)
            }
        }
    }

    /// Checks the counts of connections, and logs the reports that are due.
    package func check(now: Instant) async { incidents.note(await frontend.connectionFaults, now: now) }
}
