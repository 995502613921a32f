package import Audit
import ServiceLifecycle

/// Records, every few seconds, the number of forbidden requests that the audit trail only counts.
package struct AuditService: DaemonService {
    private static let interval = Duration.seconds(10)

    private let auditTrail: AuditTrail

    /// Prepares the service.
    package init(auditTrail: AuditTrail) { self.auditTrail = auditTrail }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                auditTrail.recordCounts()
            }
        }
    }
}
