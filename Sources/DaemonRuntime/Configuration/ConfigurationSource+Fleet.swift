import DaemonConfiguration
package import FleetProtocol
package import Secrets

/// The secrets of the section `fleet`, as read.
package struct FleetSecrets: Sendable, Equatable {
    /// The keys that seal and open what the engine stores.
    package let keys: FleetKeys
    /// The password of the engine's user, or nil for none.
    package let password: ClientSecret?

    /// Creates the secrets of a fleet.
    package init(keys: FleetKeys, password: ClientSecret?) {
        self.keys = keys
        self.password = password
    }
}

/// The secrets of the section `fleet`.
extension ConfigurationSource {
    /// Reads the keys and the password, or records their faults.
    func readFleet(
        into loaded: inout LoadedConfiguration,
        _ isCheck: Bool,
        _ faults: inout [ConfigurationFaults.Fault]
    ) {
        guard let fleet = loaded.configuration.fleet else { return }
        var password: ClientSecret?
        if let source = fleet.password, isReadable(source, "password", isCheck, &loaded.notes) {
            password = read("password", fleet.lines.password, &faults) { try secret(source, isKey: false) }
        }
        guard isReadable(fleet.key, "key", isCheck, &loaded.notes) else { return }
        if let keys = read("key", fleet.lines.key, &faults, { try self.keys(fleet.key) }) {
            loaded.fleet = FleetSecrets(keys: keys, password: password)
        }
    }

    private func keys(_ source: DaemonConfiguration.SecretSource) throws -> FleetKeys {
        let content = try secret(source, isKey: true)
        do throws(FleetKeysFault) {
            return try FleetKeys(content.bytes)
        } catch {
            throw UnusableFleetKeys(source: source, reason: error)
        }
    }

    /// Returns false, and notes that, if only systemd can hand a secret over.
    private func isReadable(
        _ source: DaemonConfiguration.SecretSource,
        _ key: String,
        _ isCheck: Bool,
        _ notes: inout [String]
    ) -> Bool {
        guard isCheck, case .credential = source, credentialsDirectory == nil else { return true }
        notes.append("the \(key) of the fleet was not looked for: credentials come from systemd")
        return false
    }

    private func read<Value>(
        _ key: String,
        _ line: Int?,
        _ faults: inout [ConfigurationFaults.Fault],
        _ read: () throws -> Value
    ) -> Value? {
        do {
            return try read()
        } catch {
            faults.append(.init(file: path, line: line, key: "fleet.\(key)", message: "\(error)"))
            return nil
        }
    }
}
