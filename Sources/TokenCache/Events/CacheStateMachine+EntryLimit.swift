/// The limit of cached tokens.
extension CacheStateMachine {
    /// Removes entries beyond the limit: expired ones first, then the least recently used ones of uids over their
    /// quota.
    ///
    /// A new token removes one entry. After a reload with a smaller limit there are more, which are removed in slices.
    /// While tokens are restored the limit waits, as the least recently used ones are not known before.
    mutating func enforceEntryLimit(now: Instant) {
        guard restoration.isOver else { return }
        guard store.count > policy.maxEntries else { return }
        var budget = sliceSize
        takeDue(&budget, now: now)
        while budget > 0, store.count > policy.maxEntries,
            store.removeOldest(limit: policy.maxEntries, share: policy.entriesShare, &budget)
        {
            statistics.evictions.capacity += 1
            budget -= StepCost.removal - StepCost.look
        }
        if store.count > policy.maxEntries { add(.enforceEntryLimit) }
    }
}
