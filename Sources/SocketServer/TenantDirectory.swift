package import TokenCache
package import TokenProtocol

/// Finds the key that a request means: which tenant, and which scopes of it may be asked for.
package struct TenantDirectory: Sendable, Equatable {
    /// Each tenant's own scopes, by the tenant's name.
    private let scopes: [String: ScopeSet]
    private let defaultTenant: String?
    /// The short way to what most requests mean.
    let plain: PlainTenants

    /// Lists the tenants.
    ///
    /// - Parameters:
    ///   - scopes: Each tenant's own scopes, by its name.
    ///   - defaultTenant: Which one a request means that names none.
    package init(scopes: [String: ScopeSet], defaultTenant: String?) {
        self.scopes = scopes
        self.defaultTenant = defaultTenant
        plain = PlainTenants(scopes: scopes, defaultTenant: defaultTenant)
    }

    /// Whether it lists the same tenants.
    package static func == (left: TenantDirectory, right: TenantDirectory) -> Bool {
        left.scopes == right.scopes && left.defaultTenant == right.defaultTenant
    }

    /// The tenants' names, sorted.
    package var names: [String] { scopes.keys.sorted() }

    /// The key that a request for a token means; no scope means the tenant's own.
    package func key(for request: KeyRequest) throws(ErrorReply) -> TokenKey {
        let tenant = try tenant(request.tenant)
        return TokenKey(tenant: tenant.name, user: request.user, scopes: try allowed(request.scopes, of: tenant))
    }

    /// The keys that a prefetch means; one that may not be asked for makes all of it forbidden.
    package func keys(for request: PrefetchRequest) throws(ErrorReply) -> [TokenKey] {
        let tenant = try tenant(request.tenant)
        let scopes = try allowed(request.scopes, of: tenant)
        return request.users.map { TokenKey(tenant: tenant.name, user: $0, scopes: scopes) }
    }

    /// The user that a logout or an eviction means.
    package func user(for request: KeyRequest) throws(ErrorReply) -> UserKey {
        UserKey(tenant: try tenant(request.tenant).name, user: request.user)
    }

    /// The scopes that a logout may name: nil means all of the user's.
    package func scopes(for request: KeyRequest) throws(ErrorReply) -> ScopeSet? {
        guard let scopes = request.scopes else { return nil }
        return try allowed(scopes, of: tenant(request.tenant))
    }

    /// A tenant's name, checked.
    package func name(_ tenant: String?) throws(ErrorReply) -> String? {
        guard let tenant else { return nil }
        return try self.tenant(tenant).name
    }

    private func tenant(_ asked: String?) throws(ErrorReply) -> (name: String, scopes: ScopeSet) {
        guard let name = asked ?? defaultTenant else {
            throw ErrorReply(.unknownTenant, "several tenants are configured and none is the default: name one")
        }
        guard let scopes = scopes[name] else {
            throw ErrorReply(.unknownTenant, "no tenant of that name is configured")
        }
        return (name, scopes)
    }

    private func allowed(
        _ asked: ScopeSet?,
        of tenant: (name: String, scopes: ScopeSet)
    ) throws(ErrorReply) -> ScopeSet {
        guard let asked, asked != tenant.scopes else { return tenant.scopes }
        guard asked.isSubset(of: tenant.scopes) else {
            throw ErrorReply(.forbidden, "this peer may ask for the tenant's own scopes only")
        }
        return asked
    }
}
