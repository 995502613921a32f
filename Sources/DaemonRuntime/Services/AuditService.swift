package import Audit
import ServiceLifecycle

/// Records, every few seconds, the numbers of the refusals that the audit trail only counts.
package struct AuditService: DaemonService {
    private static let interval = Duration.seconds(10)

    private let trail: AuditTrail

    /// Prepares the service.
    package init(trail: AuditTrail) { self.trail = trail }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                trail.recordCounts()
            }
        }
    }
}
