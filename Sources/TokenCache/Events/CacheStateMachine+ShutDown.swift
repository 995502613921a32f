import TokenProtocol

/// The end of the cache.
extension CacheStateMachine {
    /// Shuts the cache down.
    ///
    /// Revocations that were not made, and jobs that have not ended, are recorded in the audit trail. What a flush has
    /// dropped is overwritten, so that the next daemon doesn't find it.
    package mutating func shutDown(now: Instant) -> CacheActions {
        for slot in calls.indices {
            if let call = calls.call(at: slot), call.revocation != nil { end(call.id, .shutDown, now: now) }
        }
        for slot in provisioning.indices {
            if let job = provisioning.job(at: slot) { fail(job.id, .shuttingDown, now: now) }
        }
        finishRestoring(now: now)
        store.finishSweeps()
        return finish(now)
    }
}
