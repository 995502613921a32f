package import Audit
package import DaemonConfiguration
package import Logging
import TokenCache

/// The parts of the daemon that a configuration has settings for.
///
/// A start and a reload both go through ``prepare(_:)``, which finds the faults and changes nothing, and
/// ``apply(_:)``, which fails only while the daemon ends.
package struct Components: Sendable {
    package let frontend: Frontend
    package let clients: TenantClients
    package let persistence: TokenPersistence
    package let auditTrail: AuditTrail
    package let output: LogOutput
    package let log: Logger

    /// Creates the set of parts that the settings of ``apply(_:)`` go to.
    package init(
        frontend: Frontend,
        clients: TenantClients,
        persistence: TokenPersistence,
        auditTrail: AuditTrail,
        output: LogOutput,
        log: Logger
    ) {
        self.frontend = frontend
        self.clients = clients
        self.persistence = persistence
        self.auditTrail = auditTrail
        self.output = output
        self.log = log
    }

    /// Opens and checks all that a configuration needs.
    ///
    /// After a fault everything is as it was before.
    package func prepare(_ loaded: LoadedConfiguration) async throws(ConfigurationFaults) -> RuntimeSettings {
        let auditTrail = try loaded.openAuditTrail()
        let clients = try await clients.prepare(loaded)
        return RuntimeSettings(loaded, auditTrail: auditTrail, clients: clients)
    }

    /// Puts all settings into force.
    package func apply(_ settings: RuntimeSettings) async throws {
        output.level = settings.logLevel
        try await frontend.apply(settings)
        // Right after the new secrets: ending the persistence may take seconds.
        for tenant in await clients.apply(settings.clients) { await frontend.cache.secretChanged(of: tenant) }
        auditTrail.move(to: settings.auditTrail)
        await persistence.apply(isWanted: settings.keepsAcrossRestarts)
        for note in settings.notes {
            log.warning(
                "the configuration names what this machine does not know now",
                metadata: [LogKey.reason: "\(note)"]
            )
        }
    }
}
