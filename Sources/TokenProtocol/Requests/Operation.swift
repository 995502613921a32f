/// An operation that a client asks for, with the members that belong to it.
///
/// It is indirect, as it is large and handed on often.
package indirect enum Operation: Sendable, Equatable {
    /// Returns a user's token.
    case token(TokenRequest)
    /// Mints tokens before anyone waits for them.
    case prefetch(PrefetchRequest)
    /// Drops a token that an API has rejected.
    case invalidate(InvalidateRequest)
    /// Logs a user out, with all of the user's tokens at the tenant if `everywhere` is true.
    case revoke(KeyRequest, everywhere: Bool = false)
    /// Finds or creates a user at the tenant.
    case provision(ProvisionRequest)
    /// Lists the operations and tenants that the peer may use.
    case hello
    /// Returns counters, gauges and quantiles.
    case stats
    /// Returns a page of the cache's entries.
    case entries(EntriesRequest)
    /// Drops a user's tokens.
    case evict(KeyRequest)
    /// Drops all tokens of one tenant, or of all tenants if it is nil.
    case flush(tenant: String?)
    /// Reads the configuration again.
    case reload
    /// Returns the results of the daemon's checks.
    case health
    /// Returns the metrics in Prometheus's text format.
    case metrics
    /// Explains the next answer for a key.
    case explain(KeyRequest)
    /// Ends the hold of a tenant, or of all tenants if it is nil.
    case releaseHold(tenant: String?)
    /// Sets the level of the log.
    case logLevel(LogLevelRequest)

    /// The operation's name on the wire.
    package var name: OperationName {
        switch self {
        case .token: .token
        case .prefetch: .prefetch
        case .invalidate: .invalidate
        case .revoke: .revoke
        case .provision: .provision
        case .hello: .hello
        case .stats: .stats
        case .entries: .entries
        case .evict: .evict
        case .flush: .flush
        case .reload: .reload
        case .health: .health
        case .metrics: .metrics
        case .explain: .explain
        case .releaseHold: .releaseHold
        case .logLevel: .logLevel
        }
    }
}
