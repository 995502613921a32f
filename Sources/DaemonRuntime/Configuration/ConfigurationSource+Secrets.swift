package import DaemonConfiguration
import Secrets
package import Systemd
package import Tenant

/// The secrets that a configuration names.
extension ConfigurationSource {
    var credentialsDirectory: String? { environment["CREDENTIALS_DIRECTORY"] }

    /// Reads the secret or key of a client.
    package func credential(_ credential: DaemonConfiguration.Credential) throws -> ClientCredential {
        switch credential {
        case .secret(let source): return .secret(try secret(source, isKey: false))
        case .key(let source, let id, let algorithm):
            let text = try secret(source, isKey: true)
            do {
                let algorithm = algorithm.flatMap { ClientKey.Algorithm(rawValue: $0.rawValue) }
                return .key(try ClientKey(text, id: id, algorithm: algorithm))
            } catch {
                throw UnusableKey(source: source, reason: "\(error)")
            }
        }
    }

    /// Returns the state of the file that a credential is read from, which differs after each change of the file.
    package func stamp(of credential: DaemonConfiguration.Credential) -> SecretFile.Stamp? {
        switch credential.source {
        case .file(let path): SecretFile.stamp(path)
        case .credential(let name):
            SecretFile.path(ofCredential: name, in: credentialsDirectory).flatMap(SecretFile.stamp)
        }
    }

    /// The proxy through which a tenant is reached, or nil for none.
    func proxy(of tenant: DaemonConfiguration.Tenant, isCheck: Bool) throws -> ProxySettings? {
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

    /// Reads a secret from a file or from a credential of systemd's.
    func secret(_ source: DaemonConfiguration.SecretSource, isKey: Bool) throws -> ClientSecret {
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
    /// The file or systemd credential that it is read from.
    var source: DaemonConfiguration.SecretSource {
        switch self {
        case .secret(let source), .key(let source, _, _): source
        }
    }
}
