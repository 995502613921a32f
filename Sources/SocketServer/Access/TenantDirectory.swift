package import TokenCache
package import TokenProtocol

/// Finds tenants and their clients by name, and lists the scopes of each.
package struct TenantDirectory: Sendable {
    /// The tenants by name, each with its own scopes.
    private let tenants: [String: (id: TenantID, scopes: ScopeSet)]
    /// The tenants' further clients by name.
    private let clients: [TenantID: [String: ClientPolicy]]
    /// The rules of provisioning of the tenants that have any.
    private let provisioning: [TenantID: ProvisioningPolicy]
    /// The tenants, sorted by name.
    package let ids: [TenantID]
    /// The tenant of requests that name none, or nil if a request has to name one.
    let defaultTenant: String?

    /// Creates a directory.
    ///
    /// - Parameters:
    ///   - scopes: Each tenant's own scopes.
    ///   - clients: Each tenant's further clients.
    ///   - provisioning: The rules of provisioning of the tenants that have any.
    ///   - defaultTenant: The tenant of requests that name none.
    package init(
        scopes: [TenantID: ScopeSet],
        clients: [TenantID: [String: ClientPolicy]] = [:],
        provisioning: [TenantID: ProvisioningPolicy] = [:],
        defaultTenant: String?
    ) {
        self.clients = clients
        self.provisioning = provisioning
        tenants = Dictionary(uniqueKeysWithValues: scopes.map { ($0.key.name, ($0.key, $0.value)) })
        ids = scopes.keys.sorted { $0.name < $1.name }
        self.defaultTenant = defaultTenant
    }

    /// The tenants' names, sorted.
    package var names: [String] { ids.map(\.name) }

    /// A tenant's own scopes.
    package func scopes(of tenant: TenantID) -> ScopeSet? { tenants[tenant.name]?.scopes }

    /// The names of a tenant's further clients.
    func clients(of tenant: TenantID) -> some Sequence<String> { (clients[tenant] ?? [:]).keys }

    /// The scopes of a request that names none: the tenant's own for a user, the client's own for a client.
    ///
    /// It fails for a client that the tenant doesn't have.
    func ownScopes(of user: UserLookup, _ tenant: TenantID) throws(ErrorReply) -> ScopeSet {
        guard user.field == .client else {
            guard let scopes = scopes(of: tenant) else { throw .unknownTenant }
            return scopes
        }
        guard let client = clients[tenant]?.client(named: user.value) else { throw .unknownClient(of: tenant) }
        return client.ownScopes
    }

    /// The rules of the provisioning of a tenant's users, or nil if they are never created or changed.
    package func provisioning(of tenant: TenantID) -> ProvisioningPolicy? { provisioning[tenant] }

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
    /// A request without scopes is for the tenant's own, or for the client's.
    package func key(for request: KeyRequest) throws(ErrorReply) -> TokenKey {
        let user = try user(for: request)
        let own = try ownScopes(of: user.user, user.tenant)
        return TokenKey(user: user, scopes: request.scopes ?? own)
    }
}

extension ErrorReply {
    /// The error for a request that names an unknown tenant.
    static var unknownTenant: ErrorReply { ErrorReply(.unknownTenant, "no tenant of that name is configured") }

    /// The error for a request that names an unknown client.
    fileprivate static func unknownClient(of tenant: TenantID) -> ErrorReply {
        ErrorReply(.invalidRequest, "the tenant '\(tenant.name)' has no client of that name")
    }
}
