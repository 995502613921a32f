package import DaemonConfiguration
import Dispatch
package import Logging
package import Secrets
import SocketServer
import Tenant

/// The source of each configuration: the file, the command line's values for parts of it, and the secrets that it
/// names.
package struct ConfigurationSource: Sendable {
    /// The time that a name service may delay a start.
    ///
    /// Its names count as unknown until it answers.
    private static let nameTimeout = DispatchTimeInterval.seconds(5)

    /// The file.
    package let path: String
    /// The command line's path of the applications' socket.
    package let requestsPath: String?
    /// The command line's path of the operators' socket.
    package let adminPath: String?
    /// The command line's level of the log.
    package let logLevel: Logger.Level?
    /// The process's environment.
    package let environment: [String: String]
    /// The source of the secrets' memory.
    package let memory: SecretMemory
    /// The resolver of users' and groups' names.
    package let accounts: AccountResolver

    /// Creates a source of a file's values, some of which the arguments replace.
    ///
    /// The arguments that are nil leave the file's value as it is.
    package init(
        path: String,
        requestsPath: String? = nil,
        adminPath: String? = nil,
        logLevel: Logger.Level? = nil,
        environment: [String: String],
        memory: SecretMemory,
        accounts: AccountResolver
    ) {
        self.path = path
        self.requestsPath = requestsPath
        self.adminPath = adminPath
        self.logLevel = logLevel
        self.environment = environment
        self.memory = memory
        self.accounts = accounts
    }

    /// Reads and checks the file and all that it names.
    ///
    /// - Parameter isCheck: True if the daemon won't serve. A credential may be missing then, as only systemd can hand
    ///   it over.
    package func load(isCheck: Bool = false) throws(ConfigurationFaults) -> LoadedConfiguration {
        let configuration = try withCommandLine(DaemonConfiguration.load(path))
        var access = AccessPolicy(configuration)
        access.resolve(accounts.resolve(access.names, within: Self.nameTimeout))
        var loaded = LoadedConfiguration(path: path, configuration: configuration, access: access)
        loaded.notes = Self.notes(on: access)
        var faults: [ConfigurationFaults.Fault] = []
        for (name, tenant) in configuration.tenants.sorted(by: { $0.key < $1.key }) {
            readProxy(of: tenant, name, into: &loaded, isCheck, &faults)
            let own = Owner(
                name: "tenant \(name)",
                key: "",
                line: tenant.lines.credential,
                tenant: tenant,
                tenantName: name
            )
            loaded.credentials[name] = read(tenant.credential, of: own, &loaded.notes, isCheck, &faults)
            for (client, settings) in tenant.clients {
                let owner = Owner(
                    name: "client \(client) of tenant \(name)",
                    key: "clients.\(client).",
                    line: settings.credentialLine,
                    tenant: tenant,
                    tenantName: name
                )
                loaded.clientCredentials[name, default: [:]][client] =
                    read(settings.credential, of: owner, &loaded.notes, isCheck, &faults)
            }
        }
        readFleet(into: &loaded, isCheck, &faults)
        guard faults.isEmpty else { throw ConfigurationFaults(faults, mainFile: path) }
        return loaded
    }

    private func withCommandLine(
        _ configuration: DaemonConfiguration
    ) throws(ConfigurationFaults) -> DaemonConfiguration {
        var configuration = configuration
        if let requestsPath { configuration.sockets.requests.path = requestsPath }
        if let adminPath { configuration.sockets.admin.path = adminPath }
        if let logLevel { configuration.logLevel = logLevel }
        guard configuration.sockets.requests.path != configuration.sockets.admin.path else {
            let message = "should differ from sockets.requests.path, with the command line's paths too"
            throw ConfigurationFaults([.init(file: path, line: nil, key: "sockets.admin.path", message: message)])
        }
        return configuration
    }

    private static func notes(on access: AccessPolicy) -> [String] {
        let rules = access.rules.filter { !$0.peers.unresolved.isEmpty }.map { rule in
            let names = rule.peers.unresolved.all.joined(separator: ", ")
            return
                "\(rule.location) names \(names), which this machine doesn't know now: until it does, a peer that could be "
                + "meant gets only what the rules before it give"
        }
        let administrators = access.administrators.unresolved.all.map { name in
            "admin.users names \(name), which this machine doesn't know now: it matches nobody"
        }
        return rules + administrators
    }

    private func readProxy(
        of tenant: DaemonConfiguration.Tenant,
        _ name: String,
        into loaded: inout LoadedConfiguration,
        _ isCheck: Bool,
        _ faults: inout [ConfigurationFaults.Fault]
    ) {
        do {
            loaded.proxies[name] = try proxy(of: tenant, isCheck: isCheck)
        } catch {
            let line = tenant.lines.proxyPassword ?? tenant.lines.proxy
            faults.append(tenant.fault(name, tenant.proxyKey, line, "\(error)", mainFile: path))
        }
    }

    /// The tenant or client that has a credential, for notes and faults.
    private struct Owner {
        let name: String
        /// The keys within the tenant's section that enclose its own, each with a dot.
        let key: String
        /// The line of its credential.
        let line: Int?
        let tenant: DaemonConfiguration.Tenant
        let tenantName: String
    }

    /// Reads a credential, or records a fault.
    private func read(
        _ credential: DaemonConfiguration.Credential,
        of owner: Owner,
        _ notes: inout [String],
        _ isCheck: Bool,
        _ faults: inout [ConfigurationFaults.Fault]
    ) -> ClientCredential? {
        if isCheck, case .credential = credential.source, credentialsDirectory == nil {
            notes.append("the secret of \(owner.name) was not looked for: credentials come from systemd")
            return nil
        }
        do {
            return try self.credential(credential)
        } catch {
            let key = owner.key + credential.key
            faults.append(owner.tenant.fault(owner.tenantName, key, owner.line, "\(error)", mainFile: path))
            return nil
        }
    }
}

extension DaemonConfiguration.Credential {
    /// The key of this credential in the configuration.
    fileprivate var key: String {
        switch self {
        case .secret: "client_secret"
        case .key: "client_key"
        }
    }
}

extension DaemonConfiguration.Tenant {
    /// The key in the configuration that a fault of the proxy is about.
    fileprivate var proxyKey: String {
        if case .server(_, _, .some) = proxy { "proxy.password" } else { "proxy" }
    }
}
