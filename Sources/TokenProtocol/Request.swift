/// One line of a client, understood.
package struct Request: Sendable, Equatable {
    /// What the client calls it; nil where replies are to come in order.
    package var id: RequestID?
    /// What the client wants.
    package var operation: Operation

    /// Makes a request.
    package init(id: RequestID? = nil, operation: Operation) {
        self.id = id
        self.operation = operation
    }
}

/// What a client can want, with the members that belong to it.
///
/// It is indirect, as it passes through many hands and is large.
package indirect enum Operation: Sendable, Equatable {
    /// A user's token.
    case token(TokenRequest)
    /// Tokens to be minted before anyone waits for them.
    case prefetch(PrefetchRequest)
    /// A token that an API has just refused.
    case invalidate(InvalidateRequest)
    /// A user's logout.
    case revoke(KeyRequest)
    /// What this peer may use.
    case hello
    /// Counters, gauges and quantiles.
    case stats
    /// A page of the cache's content.
    case entries(EntriesRequest)
    /// A user's tokens are to be dropped.
    case evict(KeyRequest)
    /// All tokens are to be dropped, of one tenant or of all.
    case flush(tenant: String?)
    /// The configuration is to be read again.
    case reload
    /// Whether the daemon does its work.
    case health
    /// Why the next answer for a key would be what it is.
    case explain(KeyRequest)

    /// Its name on the wire.
    package var name: OperationName {
        switch self {
        case .token: .token
        case .prefetch: .prefetch
        case .invalidate: .invalidate
        case .revoke: .revoke
        case .hello: .hello
        case .stats: .stats
        case .entries: .entries
        case .evict: .evict
        case .flush: .flush
        case .reload: .reload
        case .health: .health
        case .explain: .explain
        }
    }
}

/// The operations that this version knows, by their names on the wire.
package enum OperationName: String, Sendable, Hashable, CaseIterable {
    case token
    case prefetch
    case invalidate
    case revoke
    case hello
    case stats
    case entries
    case evict
    case flush
    case reload
    case health
    case explain

    /// Whether apps may use it on the request socket; the admin socket answers every operation.
    package var isForApps: Bool {
        switch self {
        case .token, .prefetch, .invalidate, .revoke, .hello: true
        case .stats, .entries, .evict, .flush, .reload, .health, .explain: false
        }
    }
}

/// Whose token, of which tenant, with which scopes.
package struct KeyRequest: Sendable, Equatable {
    /// The user.
    package var user: UserLookup
    /// The tenant's name in the configuration; nil: the default one.
    package var tenant: String?
    /// The scopes; nil: the tenant's own, or all of the user's where an operation says so.
    package var scopes: ScopeSet?

    /// Names a key.
    package init(user: UserLookup, tenant: String? = nil, scopes: ScopeSet? = nil) {
        self.user = user
        self.tenant = tenant
        self.scopes = scopes
    }
}

/// The members of `token`.
package struct TokenRequest: Sendable, Equatable {
    /// How long a caller waits who doesn't say: 10 s, about what a web server gives a page.
    package static let defaultTimeout = Duration.seconds(10)

    /// Whose token.
    package var key: KeyRequest
    /// The least that must be left of the token's life; nil: the configured preference.
    package var minTTL: Duration?
    /// How long the caller will wait.
    package var timeout: Duration
    /// Whether a cached token won't do.
    package var noCache: Bool

    /// Asks for a token.
    package init(
        key: KeyRequest,
        minTTL: Duration? = nil,
        timeout: Duration = TokenRequest.defaultTimeout,
        noCache: Bool = false
    ) {
        self.key = key
        self.minTTL = minTTL
        self.timeout = timeout
        self.noCache = noCache
    }
}

/// The members of `prefetch`.
package struct PrefetchRequest: Sendable, Equatable {
    /// The users, 1 to 1,000, in the order given.
    package var users: [UserLookup]
    /// The tenant's name in the configuration; nil: the default one.
    package var tenant: String?
    /// The scopes; nil: the tenant's own.
    package var scopes: ScopeSet?

    /// Asks for tokens ahead of time.
    package init(users: [UserLookup], tenant: String? = nil, scopes: ScopeSet? = nil) {
        self.users = users
        self.tenant = tenant
        self.scopes = scopes
    }
}

/// The members of `entries`.
package struct EntriesRequest: Sendable, Equatable {
    /// Only this tenant's; nil: all.
    package var tenant: String?
    /// At most so many, 1 to 1,000.
    package var limit: Int
    /// Go on behind this cursor, which an earlier page ended with.
    package var after: String?

    /// Asks for a page.
    package init(tenant: String? = nil, limit: Int = 100, after: String? = nil) {
        self.tenant = tenant
        self.limit = limit
        self.after = after
    }
}
