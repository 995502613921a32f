import DaemonConfiguration
import DaemonRuntime
import FleetProtocol
import FleetStore
import Secrets
import Systemd
import Tenant

/// The step that reaches out to the engine of a fleet.
extension Examination {
    /// The time limit for a connection.
    private static let engineLimit = Duration.seconds(5)

    /// Tries the engine, and returns nothing without a fleet.
    func tryEngine(_ machine: Machine) async -> [Finding] {
        guard let fleet = machine.configuration.configuration?.fleet else { return [] }
        let secrets: FleetSecrets
        switch Self.secrets(of: fleet, machine.secrets) {
        case .success(let read): secrets = read
        case .failure(let obstacle): return [obstacle.finding]
        }
        let settings = FleetSettings(fleet, secrets)
        guard settings.url.isSecure else { return [await judge(settings, nil)] }
        guard let trust = try? TrustStore(fleet.caFile, protocols: []) else {
            return [.skipped(.fleet, nil, "the fleet's ca_file can't be read", "see the step configuration")]
        }
        return [await judge(settings, trust)]
    }

    private func judge(_ settings: FleetSettings, _ trust: TrustStore?) async -> Finding {
        let report = await EngineProbe(settings, trust: trust).run(limit: Self.engineLimit)
        return EngineFacts(address: settings.url.address.text, timeout: settings.timeout, report: report).finding
    }

    private struct Obstacle: Error {
        let finding: Finding
    }

    private static func secrets(
        of fleet: DaemonConfiguration.Fleet,
        _ secrets: SecretProbe
    ) -> Result<FleetSecrets, Obstacle> {
        func read(_ source: DaemonConfiguration.SecretSource, isKey: Bool) -> ClientSecret? {
            secrets.path(of: source).flatMap { try? SecretFile.read($0, trusting: .credential, isKey: isKey) }
        }
        guard let content = read(fleet.key, isKey: true) else {
            return .failure(Obstacle(finding: hidden("key")))
        }
        let keys: FleetKeys
        do {
            keys = try FleetKeys(content.bytes)
        } catch {
            let advice = "tokencachectl fleet new-key prints a key"
            return .failure(Obstacle(finding: .failed(.fleet, nil, "the fleet's key can't be used: \(error)", advice)))
        }
        guard let source = fleet.password else { return .success(FleetSecrets(keys: keys, password: nil)) }
        guard let password = read(source, isKey: false) else {
            return .failure(Obstacle(finding: hidden("password")))
        }
        return .success(FleetSecrets(keys: keys, password: password))
    }

    private static func hidden(_ name: String) -> Finding {
        .skipped(.fleet, nil, "the fleet's \(name) can't be read here", "run the doctor as root")
    }
}
