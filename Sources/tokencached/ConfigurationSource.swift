import Audit
import DaemonConfiguration
import Dispatch
import Logging
import Secrets
import SocketServer
import Systemd
import Tenant
import TokenCache

/// Where the configuration comes from: the file, what the command line puts in its place, and the secrets it names.
struct ConfigurationSource: Sendable {
    let path: String
    let requestsPath: String?
    let adminPath: String?
    let logLevel: DaemonConfiguration.LogLevel?
    let environment: [String: String]
    /// What secrets' memory is taken from.
    let memory: SecretMemory
    /// Resolves users' and groups' names.
    let accounts: AccountResolver
    /// A name service that doesn't answer delays a start by so long; its names count as unknown until it does.
    private static let patience = DispatchTimeInterval.seconds(5)

    /// A configuration with the secrets that it names.
    struct Loaded: Sendable {
        var configuration: DaemonConfiguration
        var credentials: [String: ClientCredential] = [:]
        /// The proxies of those tenants that are reached by one.
        var proxies: [String: ProxySettings] = [:]
        var access: AccessPolicy
        /// What is no fault but should be known.
        var notes: [String] = []

        /// Who may ask for what, of tenants with these identities.
        func access(_ identities: [String: TenantID]) -> AccessPolicy {
            var access = access
            access.directory = configuration.directory(identities)
            return access
        }

        /// Says in the log what should be known.
        func warn(_ log: Logger) {
            for note in notes {
                log.warning("a part of the configuration has no effect now", metadata: [LogKey.reason: "\(note)"])
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

    private var credentialsDirectory: String? { environment["CREDENTIALS_DIRECTORY"] }

    /// Reads and checks all of it.
    ///
    /// - Parameter isCheck: Whether the daemon won't serve: then a credential, which only systemd can hand over, may be
    ///   missing.
    func load(isCheck: Bool = false) throws(ConfigurationFaults) -> Loaded {
        var notes: [String] = []
        let configuration = try DaemonConfiguration.load(path)
        var access = AccessPolicy(configuration)
        access.resolve(accounts.resolve(access.names, within: Self.patience))
        for rule in access.rules where !rule.peers.unresolved.isEmpty {
            let names = rule.peers.unresolved.all.joined(separator: ", ")
            notes.append(
                "\(rule.location) names \(names), which this machine doesn't know now: until it does, whoever could be meant "
                    + "gets only what the rules before that one give"
            )
        }
        for name in access.administrators.unresolved.all {
            notes.append("admin.users names \(name), which this machine doesn't know now: nobody is meant by it")
        }
        var loaded = Loaded(configuration: configuration, access: access, notes: notes)
        if let requestsPath { loaded.configuration.sockets.requests.path = requestsPath }
        if let adminPath { loaded.configuration.sockets.admin.path = adminPath }
        if let logLevel { loaded.configuration.logLevel = logLevel }
        var faults: [ConfigurationFaults.Fault] = []
        for (name, tenant) in loaded.configuration.tenants {
            do {
                loaded.proxies[name] = try proxy(of: tenant, isCheck: isCheck)
            } catch {
                let (line, key) = (tenant.lines.proxyPassword ?? tenant.lines.proxy, tenant.proxyKey)
                faults.append(.init(file: path, line: line, key: "tenants.\(name).\(key)", message: "\(error)"))
            }
            if isCheck, case .credential = tenant.credential.source, credentialsDirectory == nil {
                loaded.notes.append("the secret of tenant \(name) was not looked for: credentials come from systemd")
                continue
            }
            do {
                loaded.credentials[name] = try credential(tenant.credential)
            } catch {
                let key = "tenants.\(name).\(tenant.credential.key)"
                faults.append(.init(file: path, line: tenant.lines.credential, key: key, message: "\(error)"))
            }
        }
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        return loaded
    }

    /// Reads what a client proves itself by.
    func credential(_ credential: DaemonConfiguration.Credential) throws -> ClientCredential {
        switch credential {
        case .secret(let source): return .secret(try secret(source, isKey: false))
        case .key(let source, let id):
            let text = try secret(source, isKey: true)
            do {
                return .key(try ClientKey(text, id: id))
            } catch {
                throw UnusableKey(source: source, reason: "\(error)")
            }
        }
    }

    /// The proxy by which a tenant is reached; nil: it is reached without one.
    private func proxy(of tenant: DaemonConfiguration.Tenant, isCheck: Bool) throws -> ProxySettings? {
        switch tenant.proxy {
        case nil: return nil
        case .environment:
            let proxy = try ProxyEnvironment(environment).proxy(forOrigin: tenant.host)
            if proxy != nil, tenant.isSecureAddress { throw AddressBehindProxy() }
            return proxy
        case .server(let host, let port, nil): return ProxySettings(host: host, port: port)
        case .server(let host, let port, let user?):
            if isCheck, case .credential = user.password, credentialsDirectory == nil {
                return ProxySettings(host: host, port: port)
            }
            let password = try secret(user.password, isKey: false)
            return ProxySettings(host: host, port: port, user: user.name, password: password)
        }
    }

    /// The file that a credential is read from, as it is now; another one after it has changed.
    func stamp(of credential: DaemonConfiguration.Credential) -> SecretFile.Stamp? {
        switch credential.source {
        case .file(let path): SecretFile.stamp(path)
        case .credential(let name):
            SecretFile.path(ofCredential: name, in: credentialsDirectory).flatMap(SecretFile.stamp)
        }
    }

    private func secret(_ source: DaemonConfiguration.SecretSource, isKey: Bool) throws -> ClientSecret {
        switch source {
        case .file(let path): return try SecretFile.read(path, isKey: isKey, in: memory)
        case .credential(let name):
            guard let path = SecretFile.path(ofCredential: name, in: credentialsDirectory) else {
                throw MissingCredential(name: name)
            }
            return try SecretFile.read(path, trusting: .credential, isKey: isKey, in: memory)
        }
    }
}

extension DaemonConfiguration.Credential {
    /// Where it is read from.
    fileprivate var source: DaemonConfiguration.SecretSource {
        switch self {
        case .secret(let source), .key(let source, _): source
        }
    }

    /// Its key in the configuration.
    fileprivate var key: String {
        switch self {
        case .secret: "client_secret"
        case .key: "client_key"
        }
    }
}

extension DaemonConfiguration.Tenant {
    /// The key that a fault of its proxy is about.
    fileprivate var proxyKey: String {
        if case .server(_, _, .some) = proxy { "proxy.password" } else { "proxy" }
    }
}

/// The environment names a proxy for a tenant that is named by its address.
struct AddressBehindProxy: Error, CustomStringConvertible {
    let description =
        "needs a name in host: behind the environment's proxy a certificate can't be checked for an address"
}

/// A file or credential holds no key that can be used.
struct UnusableKey: Error, CustomStringConvertible {
    let source: DaemonConfiguration.SecretSource
    let reason: String

    var description: String {
        switch source {
        case .file(let path): "\(path) \(reason)"
        case .credential(let name): "credential '\(name)' \(reason)"
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
