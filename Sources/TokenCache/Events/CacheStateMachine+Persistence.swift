import TokenProtocol

/// What outlives the daemon.
extension CacheStateMachine {
    /// How often the next daemon is told of uses.
    ///
    /// After a crash, those count as idle who were asked for since and not before within the idle time. More often than
    /// every quarter of a minute isn't worth the work.
    var usesInterval: Duration { min(.seconds(60), max(.seconds(15), policy.idleTTL / 4)) }

    // MARK: Restoring

    /// Takes in a token that an earlier daemon has persisted; ``beginPersisting(now:)`` has to follow.
    ///
    /// - Returns: Whether it is cached now: it must not have ended, its tenant and client must be configured as they
    ///   were, and no later one must be there.
    mutating func restore(_ token: PersistedToken, recordID: Int, now: Instant) -> Bool {
        store.beginRecording()
        guard let tenant = configured.first(where: { $0.name == token.tenant }),
            tenants[tenant]?.identity == token.identity, token.sent <= now
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
            lastAsked: token.lastAsked.map { min($0, now) },
            cameUnasked: token.cameUnasked,
            replacedReported: token.replacedReported,
            serial: newSerial()
        )
        store.setRecordID(recordID, of: entry)
        statistics.evictions.capacity += store.put(entry, for: token.owner)
        return true
    }

    /// From now on what comes and goes is persisted; so is, some at a time, what is there and isn't persisted yet.
    mutating func beginPersisting(now: Instant) -> CacheActions {
        store.beginRecording()
        persistenceIsFull = false
        nextUses = now + usesInterval
        makeRoom(now: now)
        add(.persist(next: 0))
        return finish(now)
    }

    // MARK: Persisting

    /// A token as it is persisted; nil: it has gone meanwhile, or has been persisted since that was asked for.
    func persisted(_ reference: EntryReference) -> PersistedToken? {
        let entry = reference.entry
        let tenant = entry.key.user.tenant
        guard store[reference.slot] === entry, !store.isPersisted(entry), let identity = tenants[tenant]?.identity
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
            lastAsked: entry.lastAsked,
            cameUnasked: entry.cameUnasked,
            replacedReported: entry.replacedReported,
            owner: store.owner(of: reference.slot)
        )
    }

    /// Notes where a token was persisted; nil: there was no room.
    mutating func persisted(_ reference: EntryReference, as recordID: Int?) {
        if recordID == nil { persistenceIsFull = true }
        store.persisted(reference.entry, slot: reference.slot, recordID: recordID)
    }

    /// There is room again for what couldn't be persisted.
    mutating func persistenceHasRoom(now: Instant) -> CacheActions {
        persistenceIsFull = false
        add(.persist(next: 0))
        return finish(now)
    }

    /// Tells the next daemon of all uses at once: this one ends.
    mutating func persistUses(now: Instant) -> CacheActions {
        for slot in store.slots.indices { store.persistUse(slot) }
        return finish(now)
    }

    /// Forgets where entries are persisted, and persists none any more.
    mutating func endPersisting() {
        store.endRecording()
        nextUses = nil
    }

    // MARK: The end

    /// The daemon ends: what was still to be revoked is not, and the audit trail says so.
    package mutating func shutDown(now: Instant) -> CacheActions {
        for slot in calls.indices {
            if let call = calls.call(at: slot), call.revocation != nil { end(call.id, .shutDown, now: now) }
        }
        return finish(now)
    }
}
