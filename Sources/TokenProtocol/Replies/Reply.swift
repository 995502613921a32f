package import OperatorReplies

/// The reply to a request, before it is written as a line.
///
/// All but the frequent and small replies are indirect, so that handing on a hit doesn't move the size of all
/// statistics.
package enum Reply: Sendable, Equatable {
    /// A user's token.
    case token(TokenReply)
    /// The numbers of a prefetch's users whose mint was queued, who had a token, and whose mint was refused.
    case prefetch(queued: Int, cached: Int, refused: Int)
    /// True if the reported token was dropped.
    case invalidated(Bool, retryAfter: Int?)
    /// True if a token was dropped. `upstream` is true if the tenant has revoked it, and nil if it was not asked.
    case revoked(Bool, upstream: Bool?)
    /// The same for a user's tokens everywhere, with the number that was revoked by the tenant's API.
    case revokedEverywhere(Bool, upstream: Bool?, count: Int)
    /// The user exists at the tenant.
    indirect case provisioned(ProvisionReply)
    /// The operations and tenants that the peer may use.
    indirect case hello(HelloReply)
    /// Counters, gauges and quantiles.
    indirect case stats(StatsReply)
    /// A page of the cache's entries.
    indirect case entries(EntriesReply)
    /// The results of the daemon's checks.
    indirect case health(HealthReply)
    /// The metrics.
    indirect case metrics(MetricsReply)
    /// The reason for the next answer for a key.
    indirect case explained(ExplainReply)
    /// The user's tokens were dropped.
    case evicted
    /// The number of tokens that were dropped.
    case flushed(Int)
    /// The number of tenants whose hold has ended.
    case holdsReleased(Int)
    /// The new configuration is in force.
    case reloaded
    /// The log has this level, and for this number of seconds if it is not nil.
    case logLevel(LogLevelRequest.Level, seconds: Int?)
    /// The reason why the request has failed.
    indirect case error(ErrorReply)
}
