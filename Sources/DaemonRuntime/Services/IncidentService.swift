import ServiceLifecycle
package import TokenCache

/// Logs the daemon's own incidents that have no event of their own, by a look every few seconds.
///
/// So an application that connects too often costs the log nothing.
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

    /// Looks at the counts of connections, and logs what is due.
    package func check(now: Instant) async { incidents.note(await frontend.connectionFaults, now: now) }
}
