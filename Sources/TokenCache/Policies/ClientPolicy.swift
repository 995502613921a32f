package import TokenProtocol

/// One of a tenant's further clients.
package struct ClientPolicy: Sendable, Equatable {
    /// The OAuth client's id.
    package var clientID: String
    /// The scopes of a request that names none, or nil if the tenant then gives all of the client's.
    package var scopes: ScopeSet?

    /// The scopes that a request without any is for.
    package var ownScopes: ScopeSet { scopes ?? .all }

    /// Creates a client's policy.
    package init(clientID: String, scopes: ScopeSet?) {
        self.clientID = clientID
        self.scopes = scopes
    }
}

extension [String: ClientPolicy] {
    /// Returns the client of a name, or nil if there is none.
    ///
    /// The name is compared by its bytes, as Swift's strings are equal even if one has the Kelvin sign in place of a K.
    package func client(named name: [UInt8]) -> ClientPolicy? {
        guard let index = index(forKey: String(decoding: name, as: UTF8.self)), self[index].key.utf8.elementsEqual(name)
        else { return nil }
        return self[index].value
    }
}
