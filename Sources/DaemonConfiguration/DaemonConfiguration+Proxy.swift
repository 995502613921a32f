/// A tenant's proxy.
extension DaemonConfiguration {
    /// The HTTP proxy through which a tenant is reached.
    package enum Proxy: Sendable, Equatable {
        /// The one that the process's environment names, if it names one.
        case environment
        /// The one that the configuration names.
        case server(host: String, port: Int, ProxyUser?)
    }

    /// The user as whom the daemon authenticates at a proxy.
    package struct ProxyUser: Sendable, Equatable {
        /// The user's name, without a colon.
        package var name: String
        /// The source of the password.
        package var password: SecretSource

        /// Creates a user of a proxy.
        package init(name: String, password: SecretSource) {
            self.name = name
            self.password = password
        }
    }
}
