import OperatorReplies
import TokenProtocol

/// The state of one tenant.
///
/// It is a class, so that no look at a tenant copies its queues, and no change of a queue copies it because of such a look.
/// Only the state machine that has created it refers to it.
final class TenantState {
    let identity: TenantPolicy.Identity
    /// Paces the mints and revocations of tokens.
    var governor: Governor
    /// Paces the calls of the API.
    var api: Governor
    /// The health of the client at the tenant.
    var client = ClientHealth()
    /// The health of the tenant's further clients.
    var furtherClients = FurtherClientHealth()
    /// The further clients to which the API is closed.
    var apiClients = FurtherClientHealth()
    /// The incidents that operators are told of.
    var incidents = TenantIncidents()
    var lastSuccess: Instant?
    var lastError: (error: ErrorReply, at: Instant)?
    /// True if a reload has removed the tenant.
    ///
    /// It gets no more calls, and is removed when its last call has ended.
    var isRetired = false
    /// The round through the tenant's prefetch file, until it is over.
    var round: PrefetchRound?
    /// True if the work of queueing the round's next mints is deferred.
    var isRoundFed = false
    /// The results of the last round that is over.
    var lastRound: StatsReply.Tenant.Prefetch?
    /// True if the tenant is among those whose next calls are chosen at the end of the event.
    var isTouched = false
    var timer: IndexedHeap<Instant, TenantID>.Handle?

    /// Creates the state of a tenant that has not been called yet.
    init(_ limits: TenantPolicy, now: Instant) {
        identity = limits.identity
        governor = Governor(limits, now: now)
        api = Governor(limits.ofAPI, now: now)
    }

    /// The governor of a tier.
    subscript(tier: Tier) -> Governor {
        _read { if tier == .tokens { yield governor } else { yield api } }
        _modify { if tier == .tokens { yield &governor } else { yield &api } }
    }

    /// True if calls are queued or under way.
    var hasCalls: Bool { Tier.allCases.contains { self[$0].queued > 0 || self[$0].underWay > 0 } }
}
