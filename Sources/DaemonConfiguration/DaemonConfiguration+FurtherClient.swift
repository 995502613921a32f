package import TokenCache

/// The section of one of a tenant's further clients.
extension DaemonConfiguration {
    /// A further client of a tenant, whose own tokens apps may have.
    package struct FurtherClient: Sendable, Equatable {
        /// The client's id and the scopes of a request that names none.
        package var policy: ClientPolicy
        /// The client's proof of its identity.
        package var credential: Credential
        /// The line of the credential, for a fault that is found when it is read.
        package var credentialLine: Int?

        /// The id of the OAuth client.
        package var clientID: String { policy.clientID }
    }
}
