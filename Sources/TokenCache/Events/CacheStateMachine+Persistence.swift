import TokenProtocol

/// Restoring tokens of an earlier daemon, persisting tokens for the next one, and shutdown.
extension CacheStateMachine {
    /// The interval in which uses are persisted.
    ///
    /// After a crash, users count as idle whose only use within the idle time was since then. An interval under a
    /// quarter of a minute isn't worth the work.
    var usesInterval: Duration { min(.seconds(60), max(.seconds(15), policy.idleTTL / 4)) }

    // MARK: Restoring

    /// Restores a token that an earlier daemon persisted.
    ///
    /// ``beginPersisting(now:)`` has to follow.
    ///
    /// - Returns: True if it is cached now. It must not have expired, its tenant and client must be configured as they
    ///   were, and there must be no later token.
    mutating func restore(_ token: PersistedToken, recordID: Int, now: Instant) -> Bool {
        store.beginRecording()
        guard let tenant = configured.first(where: { $0.name == token.tenant }),
            identity(of: UserKey(tenant: tenant, user: token.user)) == token.identity, token.sent <= now
        else { return false }
        let life = TokenLife(
            sent: token.sent,
            lifetime: token.lifetime,
            jitterFraction: token.jitterFraction,
            policy: policy
        )
        let key = TokenKey(tenant: tenant, user: token.user, scopes: token.scopes)
        let before = store.find(key).flatMap { store[$0] }
        guard life.expiry > now, before.map({ $0.arrived < token.arrived }) ?? true else { return false }
        let entry = Entry(
            key: key,
            token: token.token,
            life: life,
            policyNumber: store.policyNumber,
            arrived: min(token.arrived, now),
            lastUsed: token.lastUsed.map { min($0, now) },
            isUnrequested: token.isUnrequested,
            replacedReported: token.replacedReported,
            serial: newSerial()
        )
        store.setRecordID(recordID, of: entry)
        statistics.restored += 1
        statistics.evictions.capacity += store.put(entry, for: token.owner)
        return true
    }

    /// Starts persisting changes, and persists the present entries in slices.
    mutating func beginPersisting(now: Instant) -> CacheActions {
        store.beginRecording()
        persistenceIsFull = false
        nextUses = now + usesInterval
        enforceEntryLimit(now: now)
        add(.persist(next: 0))
        return finish(now)
    }

    // MARK: Persisting

    /// Returns a token as it is persisted, or nil if it is gone or has been persisted already.
    func persisted(_ reference: EntryReference) -> PersistedToken? {
        let entry = reference.entry
        let tenant = entry.key.user.tenant
        guard store[reference.slot] === entry, !store.isPersisted(entry), let identity = identity(of: entry.key.user)
        else { return nil }
        return PersistedToken(
            tenant: tenant.name,
            identity: identity,
            user: entry.key.user.user,
            scopes: entry.key.scopes,
            token: entry.token,
            sent: entry.life.sent,
            lifetime: entry.life.lifetime,
            jitterFraction: entry.life.jitterFraction,
            arrived: entry.arrived,
            lastUsed: entry.lastUsed,
            isUnrequested: entry.isUnrequested,
            replacedReported: entry.replacedReported,
            owner: store.owner(of: reference.slot)
        )
    }

    /// Sets the record ID of a persisted token, or handles a full store if there is none.
    mutating func persisted(_ reference: EntryReference, as recordID: Int?) {
        if recordID == nil { persistenceIsFull = true }
        store.persisted(reference.entry, slot: reference.slot, recordID: recordID)
    }

    /// Persists the tokens for which the store had no space before.
    mutating func persistenceHasSpace(now: Instant) -> CacheActions {
        persistenceIsFull = false
        add(.persist(next: 0))
        return finish(now)
    }

    /// Persists all uses at once before the daemon ends.
    mutating func persistUses(now: Instant) -> CacheActions {
        for slot in store.slots.indices { store.persistUse(slot) }
        return finish(now)
    }

    /// Stops persisting, and invalidates all record IDs.
    mutating func endPersisting() {
        store.endRecording()
        nextUses = nil
    }

    // MARK: The end

    /// Shuts the cache down.
    ///
    /// Revocations that were not made, and jobs that have not ended, are recorded in the audit trail.
    package mutating func shutDown(now: Instant) -> CacheActions {
        for slot in calls.indices {
            if let call = calls.call(at: slot), call.revocation != nil { end(call.id, .shutDown, now: now) }
        }
        for slot in provisioning.indices {
            if let job = provisioning.job(at: slot) { fail(job.id, .shuttingDown, now: now) }
        }
        return finish(now)
    }
}
