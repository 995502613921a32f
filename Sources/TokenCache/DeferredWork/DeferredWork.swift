import TokenProtocol

/// Long work that is done in slices, between requests.
///
/// No request depends on its progress: the outcome is fixed when the work starts. Data may change while the work goes
/// on. What is added later is handled when it is added.
enum DeferredWork {
    /// Frees the remains of a flush, or of a tenant that a reload has removed.
    case flush(FlushSweep)
    /// Ends the queued calls of a tenant that is not configured any more.
    case retire(TenantID, ErrorReply, next: Int)
    /// Rejects callers who can't be served in time after a change of a hold, the circuit breaker or the limits.
    case checkDeadlines(DeadlineCheck)
    /// Cancels the waits of closed connections.
    case cancelWaits([Waiter], next: Int)
    /// Recomputes token lives under another policy.
    case applyPolicy(next: Int)
    /// Removes entries beyond the limit.
    case enforceEntryLimit
    /// Frees the negative entries that a new secret has voided.
    case sweepNegatives(TenantID, upTo: UInt64, next: Int)
    /// Frees the provisioned users that are forgotten, and forgets those who are being provisioned.
    case sweepProvisions(TenantID, upTo: UInt64, nextJob: Int, nextUser: Int)
    /// Ends the pauses before retries, as the tenant is back.
    case endPauses(TenantID)
    /// Queues the next mints of a round through a tenant's prefetch file.
    case feedRound(TenantID)
    /// Restores the tokens of the last daemon.
    case restore
    /// Ends the waits for other machines, as the second level doesn't answer.
    case endYields(TenantID, next: Int)
    /// Looks queued mints up, as the second level answers again.
    case lookUp(TenantID, next: Int)
    /// Drops a tenant's entries up to a fence.
    case dropEntries(TenantID, upTo: FleetFence, next: Int)

    /// The purpose of a piece of work that a later piece replaces.
    enum Purpose: Hashable {
        case flush(TenantID)
        case checkDeadlines(TenantID, Tier)
        case sweepNegatives(TenantID)
        case sweepProvisions(TenantID)
        case endPauses(TenantID)
        case applyPolicy
        case enforceEntryLimit
        case restore
    }

    /// The purpose for which a later piece replaces this one, which then has nothing left to do, or nil if none does.
    var purpose: Purpose? {
        switch self {
        case .flush(let sweep): .flush(sweep.tenant)
        case .checkDeadlines(let check): .checkDeadlines(check.tenant, check.tier)
        case .sweepNegatives(let tenant, _, _): .sweepNegatives(tenant)
        case .sweepProvisions(let tenant, _, _, _): .sweepProvisions(tenant)
        case .endPauses(let tenant): .endPauses(tenant)
        case .applyPolicy: .applyPolicy
        case .enforceEntryLimit: .enforceEntryLimit
        case .restore: .restore
        case .retire, .cancelWaits, .feedRound, .endYields, .lookUp, .dropEntries: nil
        }
    }
}
