import Audit
package import DaemonConfiguration
import SocketServer
import Tenant

/// The part of `--check-config` that looks beyond the file itself, at the things that it names.
package struct ConfigurationCheck: Sendable {
    private let path: String
    private let configuration: DaemonConfiguration

    /// Creates a check of a configuration that was read without faults.
    ///
    /// - Parameter path: The file, for faults.
    package init(path: String, configuration: DaemonConfiguration) {
        self.path = path
        self.configuration = configuration
    }

    /// The faults that would keep the daemon from starting.
    package var faults: [ConfigurationFaults.Fault] { audit + log + groups + authorities }

    /// Sentences about settings with which the daemon would start, but that are probably mistakes.
    package var notes: [String] {
        let access = configuration.access
        var notes: [String] = []
        if let access, access.isEmpty { notes.append("access has no rules: no app may ask for anything") }
        for (index, rule) in (access ?? []).enumerated() where rule.matchesNobody {
            notes.append("access[\(index)] names no users, groups or units: it matches nobody")
        }
        if access == nil, configuration.sockets.requests.mode & 0o006 != 0 {
            notes.append(
                "sockets.requests is open to every user of this machine, and without access rules so are all users' tokens"
            )
        }
        return notes + prefetchFiles
    }

    /// The faults of prefetch files, without which the daemon starts.
    private var prefetchFiles: [String] {
        configuration.tenants.sorted { $0.key < $1.key }.compactMap { name, tenant in
            guard let prefetch = tenant.prefetch else { return nil }
            do throws(SubjectFile.Fault) {
                _ = try SubjectFile.read(prefetch.file)
                return nil
            } catch {
                return "the prefetch file of tenant \(name) can't be used: \(error)"
            }
        }
    }

    private var audit: [ConfigurationFaults.Fault] {
        guard let problem = AuditTrail.problem(with: configuration.auditDestination) else { return [] }
        return [fault(configuration.auditLine, "audit.to", problem)]
    }

    private var log: [ConfigurationFaults.Fault] {
        guard let problem = LogForm.problem(with: configuration.logFormat, in: .ofProcess) else { return [] }
        return [fault(configuration.logFormatLine, "log.format", problem)]
    }

    private var groups: [ConfigurationFaults.Fault] {
        let sockets = [("requests", configuration.sockets.requests), ("admin", configuration.sockets.admin)]
        return sockets.compactMap { name, socket in
            guard let group = socket.group, Accounts.group(group).number == nil else { return nil }
            return fault(socket.groupLine, "sockets.\(name).group", "this machine knows no group '\(group)'")
        }
    }

    private var authorities: [ConfigurationFaults.Fault] {
        tenantsAuthorities + fleetAuthorities
    }

    private var fleetAuthorities: [ConfigurationFaults.Fault] {
        guard let fleet = configuration.fleet, let file = fleet.caFile, !TenantClient.canTrust(file) else { return [] }
        return [fault(fleet.lines.caFile, "fleet.ca_file", TenantClients.unusableAuthorities(file))]
    }

    private var tenantsAuthorities: [ConfigurationFaults.Fault] {
        configuration.tenants.compactMap { name, tenant in
            guard let file = tenant.caFile, !TenantClient.canTrust(file) else { return nil }
            let message = TenantClients.unusableAuthorities(file)
            return tenant.fault(name, "ca_file", tenant.lines.caFile, message, mainFile: path)
        }
    }

    private func fault(_ line: Int?, _ key: String, _ message: String) -> ConfigurationFaults.Fault {
        ConfigurationFaults.Fault(file: path, line: line, key: key, message: message)
    }
}

extension DaemonConfiguration.AccessRule {
    fileprivate var matchesNobody: Bool { [users, groups, units].allSatisfy { $0?.isEmpty ?? true } }
}
