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
    /// Persists entries that are not persisted yet.
    case persist(next: Int)
    /// Persists the times at which entries were last used.
    case persistUses(next: Int)

    /// True if another piece of work replaces this one, which then has nothing left to do.
    func isReplaced(by other: DeferredWork) -> Bool {
        switch (self, other) {
        case (.flush(let own), .flush(let other)): own.tenant == other.tenant
        case (.checkDeadlines(let own), .checkDeadlines(let other)):
            own.tenant == other.tenant && own.tier == other.tier
        case (.sweepNegatives(let own, _, _), .sweepNegatives(let other, _, _)): own == other
        case (.sweepProvisions(let own, _, _, _), .sweepProvisions(let other, _, _, _)): own == other
        case (.endPauses(let own), .endPauses(let other)): own == other
        case (.applyPolicy, .applyPolicy), (.enforceEntryLimit, .enforceEntryLimit), (.persist, .persist),
            (.persistUses, .persistUses):
            true
        default: false
        }
    }
}
