import Audit
import DaemonConfiguration
import Logging
import Secrets
import SocketServer
import Systemd

/// Where the configuration comes from: the file, what the command line puts in its place, and the secrets it names.
struct ConfigurationSource: Sendable {
    let path: String
    let requestsPath: String?
    let adminPath: String?
    let logLevel: DaemonConfiguration.LogLevel?
    let credentialsDirectory: String?
    /// What secrets' memory is taken from.
    let memory: SecretMemory

    /// A configuration with the secrets that it names.
    struct Loaded: Sendable {
        var configuration: DaemonConfiguration
        var secrets: [String: ClientSecret] = [:]
        var access: AccessPolicy
        /// What is no fault but should be known.
        var notes: [String] = []

        /// Says in the log what should be known.
        func warn(_ log: Logger) {
            for note in notes {
                log.warning("a part of the configuration has no effect", metadata: [LogKey.reason: "\(note)"])
            }
        }

        /// Opens what the audit trail goes to.
        func openAuditTrail(_ path: String) throws(ConfigurationFaults) -> AuditTrail.Opened {
            do {
                return try AuditTrail.open(configuration.auditDestination)
            } catch {
                let line = configuration.auditLine
                let fault = ConfigurationFaults.Fault(file: path, line: line, key: "audit.to", message: "\(error)")
                throw ConfigurationFaults([fault])
            }
        }
    }

    /// Reads and checks all of it.
    ///
    /// - Parameter isCheck: Whether the daemon won't serve: then a credential, which only systemd can hand over, may be
    ///   missing.
    func load(isCheck: Bool = false) throws(ConfigurationFaults) -> Loaded {
        var notes: [String] = []
        let configuration = try DaemonConfiguration.load(path)
        let access = AccessPolicy(configuration) { kind, name in
            notes.append("this machine knows no \(kind) '\(name)': nobody is meant by it")
        }
        var loaded = Loaded(configuration: configuration, access: access, notes: notes)
        if let requestsPath { loaded.configuration.sockets.requests.path = requestsPath }
        if let adminPath { loaded.configuration.sockets.admin.path = adminPath }
        if let logLevel { loaded.configuration.logLevel = logLevel }
        var faults: [ConfigurationFaults.Fault] = []
        for (name, tenant) in loaded.configuration.tenants {
            if isCheck, case .credential = tenant.clientSecret, credentialsDirectory == nil {
                loaded.notes.append("the secret of tenant \(name) was not looked for: credentials come from systemd")
                continue
            }
            do {
                loaded.secrets[name] = try secret(tenant.clientSecret)
            } catch {
                let key = "tenants.\(name).client_secret"
                faults.append(.init(file: path, line: tenant.lines.clientSecret, key: key, message: "\(error)"))
            }
        }
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        return loaded
    }

    /// Reads one secret.
    func secret(_ source: DaemonConfiguration.SecretSource) throws -> ClientSecret {
        switch source {
        case .file(let path): return try SecretFile.read(path, in: memory)
        case .credential(let name):
            guard let path = SecretFile.path(ofCredential: name, in: credentialsDirectory) else {
                throw MissingCredential(name: name)
            }
            return try SecretFile.read(path, trusting: .credential, in: memory)
        }
    }
}

/// The daemon was not started by systemd, or its unit names no credentials.
struct MissingCredential: Error, CustomStringConvertible {
    let name: String

    var description: String {
        "credential '\(name)' was not handed over: the unit needs LoadCredential=\(name):PATH, or use { file: PATH }"
    }
}
