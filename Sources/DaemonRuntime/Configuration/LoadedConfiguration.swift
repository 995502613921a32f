package import Audit
package import DaemonConfiguration
package import SocketServer
package import Tenant

/// A configuration with the secrets that it names, read and checked.
package struct LoadedConfiguration: Sendable {
    /// The file that it was read from, for faults.
    package let path: String
    /// The file's values, some of which the command line has replaced.
    package var configuration: DaemonConfiguration
    /// The secrets and keys of the tenants' own clients, by tenant.
    package var credentials: [String: ClientCredential] = [:]
    /// The secrets and keys of further clients, by tenant and name.
    package var clientCredentials: [String: [String: ClientCredential]] = [:]
    /// The proxies of the tenants that are reached through one.
    package var proxies: [String: ProxySettings] = [:]
    /// The keys and the password of the fleet, or nil if there is none or a check can't read them.
    package var fleet: FleetSecrets?
    /// The access rules without the tenants, whose identities are not known here.
    package var access: AccessPolicy
    /// Sentences about names that this machine doesn't know now, and about secrets that a check left out.
    package var notes: [String] = []

    /// Checks that this machine has a journal if the log is to be written to one.
    package func checkLogFormat() throws(ConfigurationFaults) {
        guard let problem = LogForm.problem(with: configuration.logFormat, in: .ofProcess) else { return }
        let fault = ConfigurationFaults.Fault(
            file: path,
            line: configuration.logFormatLine,
            key: "log.format",
            message: problem
        )
        throw ConfigurationFaults([fault])
    }

    /// Opens the destination of the audit trail.
    package func openAuditTrail() throws(ConfigurationFaults) -> AuditTrail.Opened {
        do {
            return try AuditTrail.open(configuration.auditDestination)
        } catch {
            let fault = ConfigurationFaults.Fault(
                file: path,
                line: configuration.auditLine,
                key: "audit.to",
                message: "\(error)"
            )
            throw ConfigurationFaults([fault])
        }
    }
}
