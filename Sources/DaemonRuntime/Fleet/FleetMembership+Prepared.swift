package import DaemonConfiguration
package import FleetStore
import Secrets
import Tenant

/// The settings of a fleet, as a configuration has them.
extension FleetMembership {
    /// The result of ``prepare(_:)``.
    package struct Prepared: Sendable {
        /// The settings, or nil for no fleet.
        package let settings: FleetSettings?
        /// The authorities that vouch for the engine, or nil without TLS.
        let trust: TrustStore?
    }

    /// Reads the file of authorities that a configuration names, and changes nothing.
    package func prepare(_ loaded: LoadedConfiguration) throws(ConfigurationFaults) -> Prepared {
        guard let fleet = loaded.configuration.fleet, let secrets = loaded.fleet else {
            return Prepared(settings: nil, trust: nil)
        }
        let settings = FleetSettings(fleet, secrets)
        guard settings.url.isSecure else { return Prepared(settings: settings, trust: nil) }
        do {
            return Prepared(settings: settings, trust: try TrustStore(fleet.caFile, protocols: []))
        } catch {
            let fault = ConfigurationFaults.Fault(
                file: loaded.path,
                line: fleet.lines.caFile,
                key: "fleet.ca_file",
                message: TenantClients.unusableAuthorities(fleet.caFile ?? "")
            )
            throw ConfigurationFaults([fault])
        }
    }
}

extension FleetSettings {
    /// The settings of a configuration.
    package init(_ fleet: DaemonConfiguration.Fleet, _ secrets: FleetSecrets) {
        self.init(
            url: EngineURL(fleet.engine),
            isCluster: fleet.isCluster,
            allowsPlain: fleet.allowsPlain,
            username: fleet.username,
            password: secrets.password.map { EnginePassword($0.bytes) },
            caFile: fleet.caFile,
            timeout: fleet.timeout,
            prefix: fleet.prefix,
            keys: secrets.keys
        )
    }
}

extension EngineURL {
    /// The address of a configuration.
    fileprivate init(_ address: DaemonConfiguration.EngineAddress) {
        switch address {
        case .unix(let path, let database): self.init(address: .socket(path: path), database: database)
        case .tcp(let host, let port, let usesTLS, let database):
            self.init(address: .host(host, port: port), isSecure: usesTLS, database: database)
        }
    }
}
