package import TokenCache

/// The section of one tenant.
extension DaemonConfiguration {
    /// One tenant and the client that calls it.
    package struct Tenant: Sendable, Equatable {
        /// The host, the client's id, and the pace of calls.
        package var policy: TenantPolicy
        /// The client's proof of its identity.
        package var credential: Credential
        /// The scopes of a request that names none: one or more, with spaces between.
        package var scope = "user_default"
        /// The timeout of one call.
        package var timeout = Duration.seconds(10)
        /// A file of further certificate authorities.
        package var caFile: String?
        /// The proxy to the tenant, or nil for none.
        package var proxy: Proxy?
        /// The further clients by name, whose own tokens apps may have.
        ///
        /// The policy has their ids and scopes.
        package var clients: [String: FurtherClient] = [:]
        /// The lines of the files that are named here.
        package var lines = Lines()

        /// The origin: scheme, host and, if given, port.
        package var host: String { policy.identity.host }

        /// The id of the OAuth client.
        package var clientID: String { policy.identity.clientID }

        /// True if `host` is https to an address: behind a proxy its certificate can't be checked.
        package var isSecureAddress: Bool { Origin(host)?.isSecureAddress ?? false }
    }

    /// The lines at which a tenant's files are named, for faults that are found when they are read.
    package struct Lines: Sendable, Equatable {
        package var credential: Int?
        package var caFile: Int?
        package var proxy: Int?
        package var proxyPassword: Int?

        /// Creates lines that are all unknown.
        package init() {}
    }

    /// The client's proof to the tenant that it is that client.
    package enum Credential: Sendable, Equatable {
        /// A shared secret: `client_secret`.
        case secret(SecretSource)
        /// A private key: `client_key`, `key_id` if the tenant knows it by another name than its thumbprint, and
        /// `key_algorithm` if it isn't the usual one of the key's kind.
        case key(SecretSource, id: String?, algorithm: KeyAlgorithm? = nil)
    }

    /// The algorithm of a key's signatures.
    package enum KeyAlgorithm: String, Sendable, CaseIterable {
        case rs256 = "RS256"
        case rs512 = "RS512"
        case es384 = "ES384"
    }

    /// The source of a secret, which is never in the configuration itself.
    package enum SecretSource: Sendable, Equatable {
        /// A credential of systemd's, by its name.
        case credential(String)
        /// A file.
        case file(String)
    }
}
