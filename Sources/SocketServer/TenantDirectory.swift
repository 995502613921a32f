package import TokenCache
package import TokenProtocol

/// Which tenants there are, and what each one's own scopes are.
package struct TenantDirectory: Sendable {
    /// The tenants by name, each with its own scopes.
    private let tenants: [String: (id: TenantID, scopes: ScopeSet)]
    /// Which one a request means that names none.
    let defaultTenant: String?

    /// Lists the tenants.
    ///
    /// - Parameters:
    ///   - scopes: Each tenant's own scopes.
    ///   - defaultTenant: Which one a request means that names none.
    package init(scopes: [TenantID: ScopeSet], defaultTenant: String?) {
        tenants = Dictionary(uniqueKeysWithValues: scopes.map { ($0.key.name, ($0.key, $0.value)) })
        self.defaultTenant = defaultTenant
    }

    /// The tenants' names, sorted.
    package var names: [String] { tenants.keys.sorted() }

    /// The tenants, sorted by name.
    package var ids: [TenantID] { names.compactMap { tenants[$0]?.id } }

    /// A tenant's own scopes.
    package func scopes(of tenant: TenantID) -> ScopeSet? { tenants[tenant.name]?.scopes }

    /// The tenant that a request means.
    package func tenant(_ asked: String?) throws(ErrorReply) -> TenantID {
        guard let name = asked ?? defaultTenant else {
            throw ErrorReply(.unknownTenant, "several tenants are configured and none is the default: name one")
        }
        // By its bytes: texts are equal, too, where one has the Kelvin sign for a K.
        guard let tenant = tenants[name]?.id, tenant.name.utf8.elementsEqual(name.utf8) else { throw .noSuchTenant }
        return tenant
    }

    /// The key that an operator's request means; no scope means the tenant's own.
    package func key(for request: KeyRequest) throws(ErrorReply) -> TokenKey {
        let tenant = try tenant(request.tenant)
        guard let scopes = request.scopes ?? scopes(of: tenant) else { throw .noSuchTenant }
        return TokenKey(tenant: tenant, user: request.user, scopes: scopes)
    }
}

extension ErrorReply {
    /// No tenant of that name is configured.
    static var noSuchTenant: ErrorReply { ErrorReply(.unknownTenant, "no tenant of that name is configured") }
}
