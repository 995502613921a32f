import Audit
package import DaemonConfiguration
import Logging
import TokenCache

/// The way of a configuration into force, which a start and a reload share.
///
/// ``prepare(_:)`` finds the faults and changes nothing. ``apply(_:)`` can't fail.
extension Components {
    /// Opens and checks all that a configuration needs.
    ///
    /// After a fault everything is as it was before.
    package func prepare(_ loaded: LoadedConfiguration) async throws(ConfigurationFaults) -> RuntimeSettings {
        try loaded.checkLogFormat()
        let auditTrail = try loaded.openAuditTrail()
        let fleet = try fleet.prepare(loaded)
        let clients = try await clients.prepare(loaded)
        // Last, because an address that only one server can have moves to the new one at once.
        let metrics = try await metrics.prepare(loaded)
        return RuntimeSettings(loaded, auditTrail: auditTrail, clients: clients, fleet: fleet, metrics: metrics)
    }

    /// Puts all settings into force.
    package func apply(_ settings: RuntimeSettings) async {
        output.use(settings.logFormat)
        await frontend.apply(settings)
        // Right after the new secrets: ending the persistence may take seconds.
        for client in await clients.apply(settings.clients) { await frontend.cache.secretChanged(of: client) }
        await fleet.apply(settings.fleet, settings.tenantPolicies, of: frontend)
        auditTrail.move(to: settings.auditTrail)
        await metrics.apply(settings.metrics)
        await persistence.apply(isWanted: settings.keepsAcrossRestarts, places: fleet.placesFile)
        // After the restored tokens, which need no call.
        await prefetchFiles.apply(settings.prefetchJobs)
        for note in settings.notes {
            log.warning(
                "the configuration names what this machine does not know now",
                metadata: [LogKey.reason: "\(note)"]
            )
        }
    }
}
