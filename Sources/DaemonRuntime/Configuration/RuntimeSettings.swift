package import Audit
package import DaemonConfiguration
package import Logging
package import SocketServer
package import TokenCache

/// All settings that a start and each reload put into force, derived from a configuration.
///
/// This is the only list of them. A new setting is a property here and a line in ``Components/apply(_:)``. The settings
/// that a reload can't change are those of ``StartSettings``.
package struct RuntimeSettings: Sendable {
    /// The least level that is logged.
    package let logLevel: Logger.Level
    /// The format of the log.
    package let logFormat: DaemonConfiguration.LogFormat
    /// The bounds of the cache, the times of refreshes and the quotas of tokens and waiting requests.
    package let cachePolicy: CachePolicy
    /// The pace of each tenant's calls.
    package let tenantPolicies: [TenantID: TenantPolicy]
    /// The tenants' prefetch files.
    package let prefetchJobs: [TenantID: PrefetchSchedule.Job]
    /// The access rules, the administrators and the tenants' own scopes.
    package let access: AccessPolicy
    /// The engine that is shared with the daemons of other machines, if there is one.
    package let fleet: FleetMembership.Prepared
    /// The share of the connections that one uid may have while all connections are taken.
    package let connectionShare: Double
    /// True if tokens outlive a restart.
    package let keepsAcrossRestarts: Bool
    /// The open destination of the audit trail.
    package let auditTrail: AuditTrail.Opened
    /// The tenants' clients and secrets.
    package let clients: TenantClients.Prepared
    /// The HTTP server of the metrics, if there is another one.
    package let metrics: MetricsEndpoint.Prepared
    /// Sentences about names in the configuration that this machine doesn't know now, for the log.
    package let notes: [String]

    /// Derives the settings of a configuration.
    package init(
        _ loaded: LoadedConfiguration,
        auditTrail: AuditTrail.Opened,
        clients: TenantClients.Prepared,
        fleet: FleetMembership.Prepared,
        metrics: MetricsEndpoint.Prepared
    ) {
        let configuration = loaded.configuration
        logLevel = configuration.logLevel
        logFormat = configuration.logFormat
        cachePolicy = configuration.cachePolicy
        tenantPolicies = configuration.tenantPolicies(clients.identities)
        prefetchJobs = configuration.prefetchJobs(clients.identities)
        access = configuration.access(loaded.access, clients.identities)
        connectionShare = configuration.connectionShare
        keepsAcrossRestarts = configuration.keepsAcrossRestarts
        self.auditTrail = auditTrail
        self.clients = clients
        self.fleet = fleet
        self.metrics = metrics
        notes = loaded.notes
    }
}
