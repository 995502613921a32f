package import TokenCache
package import TokenProtocol

/// Which tenants there are, and what each one's own scopes are.
package struct TenantDirectory: Sendable, Equatable {
    /// Each tenant's own scopes, by the tenant's name.
    private let scopes: [String: ScopeSet]
    /// Which one a request means that names none.
    let defaultTenant: String?

    /// Lists the tenants.
    ///
    /// - Parameters:
    ///   - scopes: Each tenant's own scopes, by its name.
    ///   - defaultTenant: Which one a request means that names none.
    package init(scopes: [String: ScopeSet], defaultTenant: String?) {
        self.scopes = scopes
        self.defaultTenant = defaultTenant
    }

    /// The tenants' names, sorted.
    package var names: [String] { scopes.keys.sorted() }

    /// A tenant's own scopes.
    package func scopes(of tenant: String) -> ScopeSet? { scopes[tenant] }

    /// The name of the tenant that a request means.
    package func tenant(_ asked: String?) throws(ErrorReply) -> String {
        guard let name = asked ?? defaultTenant else {
            throw ErrorReply(.unknownTenant, "several tenants are configured and none is the default: name one")
        }
        guard scopes[name] != nil else { throw .noSuchTenant }
        return name
    }

    /// The key that an operator's request means; no scope means the tenant's own.
    package func key(for request: KeyRequest) throws(ErrorReply) -> TokenKey {
        let name = try tenant(request.tenant)
        guard let scopes = request.scopes ?? scopes[name] else { throw .noSuchTenant }
        return TokenKey(tenant: name, user: request.user, scopes: scopes)
    }
}

extension ErrorReply {
    /// No tenant of that name is configured.
    static var noSuchTenant: ErrorReply { ErrorReply(.unknownTenant, "no tenant of that name is configured") }
}
