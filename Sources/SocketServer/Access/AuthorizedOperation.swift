package import Secrets
package import TokenCache
package import TokenProtocol

/// An operation that a client may do, with the keys that its request refers to.
package enum AuthorizedOperation: Sendable, Equatable {
    /// Returns a token.
    case token(TokenKey, TokenRequest)
    /// Mints tokens ahead of time.
    case prefetch([TokenKey])
    /// Drops a token that an API has rejected.
    case invalidate(TokenKey, Fingerprint)
    /// Logs a user out of some scopes, or of all if they are nil, and with all tokens at the tenant if it is everywhere.
    case revoke(UserKey, ScopeSet?, everywhere: Bool = false)
    /// Finds or creates a user at the tenant.
    case provision(UserKey, ProvisionRequest)
    /// Lists the operations, the tenants and the tenants' further clients that the client may use.
    case hello(operations: [OperationName], tenants: [String], clients: [String] = [])
    /// Does an administrator's operation.
    case administer(Administration)

    /// An operation for administrators, with the tenants and keys that its request refers to.
    package enum Administration: Sendable, Equatable {
        /// Returns the statistics.
        case stats
        /// Returns a page of the cache's entries, of one tenant or of all.
        case entries(EntriesRequest, TenantID?)
        /// Drops a user's tokens for some scopes, or for all if they are nil.
        case evict(UserKey, ScopeSet?)
        /// Drops the tokens of one tenant or of all.
        case flush(TenantID?)
        /// Reads the configuration again.
        case reload
        /// Returns the results of the daemon's checks.
        case health
        /// Returns the metrics.
        case metrics
        /// Explains the next answer for a key.
        case explain(TokenKey)
        /// Ends the hold of one tenant or of all.
        case releaseHold(TenantID?)
        /// Sets the level of the log.
        case logLevel(LogLevelRequest)
    }
}
