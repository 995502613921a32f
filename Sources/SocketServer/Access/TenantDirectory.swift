package import TokenCache
package import TokenProtocol

/// Finds tenants by name, and lists each tenant's own scopes.
package struct TenantDirectory: Sendable {
    /// The tenants by name, each with its own scopes.
    private let tenants: [String: (id: TenantID, scopes: ScopeSet)]
    /// The tenants, sorted by name.
    package let ids: [TenantID]
    /// The tenant of requests that name none, or nil if a request has to name one.
    let defaultTenant: String?

    /// Creates a directory.
    ///
    /// - Parameters:
    ///   - scopes: Each tenant's own scopes.
    ///   - defaultTenant: The tenant of requests that name none.
    package init(scopes: [TenantID: ScopeSet], defaultTenant: String?) {
        tenants = Dictionary(uniqueKeysWithValues: scopes.map { ($0.key.name, ($0.key, $0.value)) })
        ids = scopes.keys.sorted { $0.name < $1.name }
        self.defaultTenant = defaultTenant
    }

    /// The tenants' names, sorted.
    package var names: [String] { ids.map(\.name) }

    /// A tenant's own scopes.
    package func scopes(of tenant: TenantID) -> ScopeSet? { tenants[tenant.name]?.scopes }

    /// The tenant of a name, or the default one if a request names none.
    package func tenant(_ name: String?) throws(ErrorReply) -> TenantID {
        guard let name = name ?? defaultTenant else {
            throw ErrorReply(.unknownTenant, "several tenants are configured and none is the default: name one")
        }
        // Compared by bytes, as Swift's strings are equal even if one has the Kelvin sign in place of a K.
        guard let tenant = tenants[name]?.id, tenant.name.utf8.elementsEqual(name.utf8) else { throw .unknownTenant }
        return tenant
    }

    /// The user of an operator's request.
    package func user(for request: KeyRequest) throws(ErrorReply) -> UserKey {
        UserKey(tenant: try tenant(request.tenant), user: request.user)
    }

    /// The key of an operator's request.
    ///
    /// A request without scopes is for the tenant's own.
    package func key(for request: KeyRequest) throws(ErrorReply) -> TokenKey {
        let user = try user(for: request)
        guard let scopes = request.scopes ?? scopes(of: user.tenant) else { throw .unknownTenant }
        return TokenKey(user: user, scopes: scopes)
    }
}

extension ErrorReply {
    /// The error for a request that names an unknown tenant.
    static var unknownTenant: ErrorReply { ErrorReply(.unknownTenant, "no tenant of that name is configured") }
}
