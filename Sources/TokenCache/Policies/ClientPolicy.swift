package import TokenProtocol

/// One of a tenant's further clients.
package struct ClientPolicy: Sendable, Equatable {
    /// The OAuth client's id.
    package var clientID: String
    /// The scopes of a request that names none, or nil if the tenant then gives all of the client's.
    package var scopes: ScopeSet?

    /// Creates a client's policy.
    package init(clientID: String, scopes: ScopeSet?) {
        self.clientID = clientID
        self.scopes = scopes
    }
}
