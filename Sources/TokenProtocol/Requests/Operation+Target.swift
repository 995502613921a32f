extension Operation {
    /// The tenant, users and scopes that a request names, whatever its operation.
    package struct Target: Sendable, Equatable {
        /// The tenant's name, or nil if the request names none.
        package var tenant: String?
        /// The users, empty if the request names none.
        package var users: [UserLookup] = []
        /// The scopes, or nil if the request names none.
        package var scopes: ScopeSet?
    }

    /// The tenant, users and scopes that the request names.
    package var target: Target {
        switch self {
        case .token(let request): Target(request.key)
        case .invalidate(let request): Target(request.key)
        case .revoke(let key, _), .evict(let key), .explain(let key): Target(key)
        case .provision(let request): Target(tenant: request.tenant, users: [request.user])
        case .prefetch(let request): Target(tenant: request.tenant, users: request.users, scopes: request.scopes)
        case .entries(let request): Target(tenant: request.tenant)
        case .flush(let tenant), .releaseHold(let tenant): Target(tenant: tenant)
        case .hello, .stats, .reload, .health, .metrics, .logLevel: Target()
        }
    }
}

extension Operation.Target {
    fileprivate init(_ key: KeyRequest) { self.init(tenant: key.tenant, users: [key.user], scopes: key.scopes) }
}
