package import Audit
package import Logging

/// The parts of the daemon that a configuration has settings for.
///
/// ``prepare(_:)`` and ``apply(_:)`` put a configuration into force.
package struct Components: Sendable {
    package let frontend: Frontend
    package let clients: TenantClients
    package let fleet: FleetMembership
    package let persistence: TokenPersistence
    package let auditTrail: AuditTrail
    package let metrics: MetricsEndpoint
    package let prefetchFiles: PrefetchFiles
    package let output: LogOutput
    package let log: Logger

    /// Creates the set of parts that the settings of ``apply(_:)`` go to.
    package init(
        frontend: Frontend,
        clients: TenantClients,
        fleet: FleetMembership,
        persistence: TokenPersistence,
        auditTrail: AuditTrail,
        metrics: MetricsEndpoint,
        output: LogOutput,
        log: Logger
    ) {
        self.frontend = frontend
        self.clients = clients
        self.fleet = fleet
        self.persistence = persistence
        self.auditTrail = auditTrail
        self.metrics = metrics
        prefetchFiles = PrefetchFiles(frontend, log: log)
        self.output = output
        self.log = log
    }
}
