package import OperatorReplies

/// What a request is answered with, before it becomes bytes.
///
/// All but the frequent and the small are indirect, so that handing a hit on doesn't move the size of all statistics.
package enum Reply: Sendable, Equatable {
    /// A user's token.
    case token(TokenReply)
    /// What a prefetch came to; refused where any was.
    case prefetch(queued: Int, cached: Int, refused: Int)
    /// Whether that very token was dropped.
    case invalidated(Bool, retryAfter: Int?)
    /// Whether a token was dropped, and whether the tenant took its revocation (nil: it was not asked).
    case revoked(Bool, upstream: Bool?)
    /// What this peer may use.
    indirect case hello(HelloReply)
    /// Counters, gauges and quantiles.
    indirect case stats(StatsReply)
    /// A page of the cache's content.
    indirect case entries(EntriesReply)
    /// Whether the daemon does its work.
    indirect case health(HealthReply)
    /// Why the next answer for a key would be what it is.
    indirect case explained(ExplainReply)
    /// The user's tokens are gone.
    case evicted
    /// How many tokens are gone.
    case flushed(Int)
    /// The new configuration is in force.
    case reloaded
    /// No answer, and why.
    indirect case error(ErrorReply)
}

/// A token, with what is true of it only now.
package struct TokenReply: Sendable, Equatable {
    /// Where a reply's token came from.
    package enum Source: String, Sendable, Hashable {
        /// It was there.
        case cache
        /// This request minted it, or shared the mint.
        case tenant
    }

    /// The part that is the same in every reply.
    package var token: EncodedToken
    /// Whole seconds left, rounded down.
    package var expiresIn: Int
    /// Where it came from.
    package var source: Source
    /// Whether it is the old token, because minting a better one failed.
    package var isStale: Bool
    /// Whether it has what the request asked for; false is said, true isn't.
    package var meetsMinTTL: Bool

    /// Makes a reply.
    package init(
        token: EncodedToken,
        expiresIn: Int,
        source: Source,
        isStale: Bool = false,
        meetsMinTTL: Bool = true
    ) {
        self.token = token
        self.expiresIn = expiresIn
        self.source = source
        self.isStale = isStale
        self.meetsMinTTL = meetsMinTTL
    }
}

/// What a peer may use.
package struct HelloReply: Sendable, Equatable {
    /// The daemon's version.
    package var version: String
    /// The operations on this socket.
    package var operations: [OperationName]
    /// The tenants' names.
    package var tenants: [String]

    /// Makes it.
    package init(version: String, operations: [OperationName], tenants: [String]) {
        self.version = version
        self.operations = operations
        self.tenants = tenants
    }
}

/// A page of the cache's content: everything about the tokens but the tokens.
package struct EntriesReply: Sendable, Equatable {
    /// One token of the cache.
    package struct Entry: Sendable, Equatable {
        package enum State: String, Sendable {
            /// It is served as it is.
            case fresh
            /// It is served, and the next request for it starts a refresh.
            case due
            /// It is served while a new one is being minted.
            case refreshing
            /// Too little is left of it; the next request waits for a new one.
            case expiring
        }

        package var tenant: String
        package var user: UserLookup
        package var scopes: ScopeSet
        package var state: State
        /// Whole seconds since it was asked of the tenant.
        package var age: Int
        /// Whole seconds left.
        package var expiresIn: Int
        /// By the wall clock; for display.
        package var expiresAt: String
        /// Whole seconds since it was last asked for; nil: never.
        package var lastUsed: Int?
        package var fingerprint: String

        package init(
            tenant: String,
            user: UserLookup,
            scopes: ScopeSet,
            state: State,
            age: Int,
            expiresIn: Int,
            expiresAt: String,
            lastUsed: Int?,
            fingerprint: String
        ) {
            self.tenant = tenant
            self.user = user
            self.scopes = scopes
            self.state = state
            self.age = age
            self.expiresIn = expiresIn
            self.expiresAt = expiresAt
            self.lastUsed = lastUsed
            self.fingerprint = fingerprint
        }
    }

    /// The page.
    package var entries: [Entry]
    /// The cursor that the next page begins behind; nil: this was the last.
    package var next: String?

    /// Makes a page.
    package init(entries: [Entry], next: String?) {
        self.entries = entries
        self.next = next
    }
}
