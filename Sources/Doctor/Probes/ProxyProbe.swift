import DaemonConfiguration
import Systemd
import Tenant

/// Finds the proxy by which the daemon reaches a tenant.
struct ProxyProbe: Sendable {
    /// The daemon's environment, or this process's own if that can't be read.
    let environment: [String: String]
    let secrets: SecretProbe

    /// The reason why the proxy can't be used here, as a sentence.
    struct Obstacle: Error {
        let reason: String
    }

    func proxy(of tenant: DaemonConfiguration.Tenant) throws(Obstacle) -> ProxySettings? {
        switch tenant.proxy {
        case nil: return nil
        case .environment:
            do {
                return try ProxyEnvironment(environment).proxy(forOrigin: tenant.host)
            } catch {
                throw Obstacle(reason: "\(error)")
            }
        case .server(let host, let port, nil): return ProxySettings(host: host, port: port)
        case .server(let host, let port, let user?):
            guard let path = secrets.path(of: user.password),
                let password = try? SecretFile.read(path, trusting: .credential)
            else { throw Obstacle(reason: "the password of the tenant's proxy can't be read here") }
            return ProxySettings(host: host, port: port, user: user.name, password: password)
        }
    }
}
