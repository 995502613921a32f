package import Secrets

/// The means by which a client authenticates itself to the tenant.
package enum ClientCredential: Sendable, Equatable {
    /// A secret that both know.
    case secret(ClientSecret)
    /// A private key, whose public half the tenant knows.
    case key(ClientKey)
}
