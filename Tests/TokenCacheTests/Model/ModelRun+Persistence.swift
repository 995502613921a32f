import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// Persistence, and the daemon's death at any time.
extension ModelRun {
    /// The longest time for which a use is not persisted.
    private var usesInterval: Duration { min(.seconds(60), max(.seconds(15), policy.idleTTL / 4)) }

    func beginPersisting() throws {
        store = ModelStore(capacity: random.pick([4, 1_000, 1_000]), since: now)
        begin(machine.beginPersisting(now: now))
        try finish()
    }

    func endPersisting() {
        machine.endPersisting()
        store = nil
        // Only the cache's next wake-up says that nothing is due for the store any more.
    }

    /// Frees some space in the store.
    func freeStoreSpace() throws {
        guard store?.isFull ?? false, store?.hasSpace ?? false else { return }
        store?.freeSpace()
        begin(machine.persistenceHasSpace(now: now))
        try finish()
    }

    // MARK: Changes

    /// Performs the changes of the store in their order.
    func takeChanges(upTo count: Int = .max) throws {
        let changes = event.changes
        event.changes = []
        guard store != nil else {
            if !changes.isEmpty { throw violated("there are changes to persist though nothing is persisted") }
            return
        }
        for change in changes.prefix(count) {
            if case .use = change {} else { trace("\(change)") }
            try take(change)
        }
    }

    private func take(_ change: PersistenceChange) throws {
        switch change {
        case .store(let reference):
            guard let token = machine.persisted(reference) else { return }
            let isThere = store?.records.values.contains { $0.token.fingerprint == token.token.fingerprint } ?? false
            if isThere { throw violated("a token is persisted twice") }
            machine.persisted(reference, as: store?.persist(token))
        case .remove(let token, let recordID):
            guard store?.remove(recordID)?.token.fingerprint == token.fingerprint else {
                throw violated("a record was removed that is another token's, or doesn't exist")
            }
        case .use(let recordID, let time):
            guard store?.note(recordID, time) ?? false else {
                throw violated("a use was persisted for a removed record")
            }
        }
    }

    /// Checks that each token is persisted, that nothing else is, and that uses are persisted in time.
    func check(_ store: ModelStore) throws {
        guard !store.isFull else { return }
        guard store.records.count == entryCount else {
            throw violated("\(store.records.count) tokens are persisted, not \(entryCount)")
        }
        guard random.once(in: 8) else { return }
        for token in store.records.values {
            guard let known = tokens[token.token.fingerprint], let entry = known.key.entry, entry.token === known else {
                throw violated("a token is persisted that is not in the cache")
            }
            try checkUse(token, entry, store)
        }
    }

    /// Checks that users who were seen lately count as in use after a crash.
    private func checkUse(_ token: PersistedToken, _ entry: ModelEntry, _ store: ModelStore) throws {
        guard let use = entry.lastUsed, use != token.lastUsed else { return }
        if now - max(use, store.persistsSince) > usesInterval {
            throw violated("a use is not persisted though \(now - use) have passed")
        }
        tally.note(.useForgotten)
    }

    // MARK: The end

    /// Shuts the daemon down: uses are persisted, and revocations that were not made are in the audit trail.
    func shutDown() throws {
        try finishSlices()
        begin(machine.persistUses(now: now))
        try finish()
        for token in store?.records.values.map(\.self) ?? [] {
            guard let entry = tokens[token.token.fingerprint]?.key.entry, entry.lastUsed == token.lastUsed else {
                throw violated("a use was not persisted at the end")
            }
        }
        begin(machine.shutDown(now: now))
        for record in event.records {
            guard case .revocation(_, _, let fingerprint, .dropped) = record.act,
                revocations.removeValue(forKey: fingerprint) != nil
            else { throw violated("the audit trail has other records than the revocations that were left") }
        }
        guard revocations.isEmpty else { throw violated("a revocation that was left is not in the audit trail") }
    }

    /// Completes a mint at the moment in which the daemon is killed, so that only some changes are persisted.
    ///
    /// - Returns: The key, which may have either token then.
    private func loseMint() throws -> ModelKey? {
        let call = calls.first { $0.isSent && $0.fate == .current && $0.key != nil }
        guard isIdle, random.once(in: 2), let call, let key = call.key, let id = call.id, let sent = call.sent
        else { return nil }
        let text = newToken()
        let token = ModelToken(text, call, key, sent: sent, lifetime: .seconds(21_600))
        guard token.left(at: now) > .seconds(1) else { return nil }
        tokens[token.fingerprint] = token
        let result = MintOutcome.minted(text, scope: nil, lifetime: .seconds(21_600))
        begin(machine.ended(id, result, now: now, wall: Self.wall))
        tally.note(.killedBetweenChanges)
        try takeChanges(upTo: random.below(event.changes.count + 1))
        return key
    }

    // MARK: The next daemon

    /// Ends the daemon, and restores its tokens in another one.
    ///
    /// - Parameter isOrderly: True if it has shut down as it should.
    func restart(isOrderly: Bool) throws {
        let undecided = isOrderly ? nil : try loseMint()
        try checkLosses(undecided)
        let before = entries.compactMap(\.entry)
        trace("another daemon takes over")
        forgetAll()
        now += random.pick([.zero, .milliseconds(20), .seconds(3), .seconds(100)])
        machine = CacheStateMachine(
            policy: policy,
            tenants: Dictionary(uniqueKeysWithValues: tenants.map { ($0.id, $0.limits) }),
            random: SeededRandom(seed: random.next()),
            sliceSize: sliceSize,
            now: now
        )
        for (recordID, token) in store?.inOrder ?? [] { try restore(recordID, token, before) }
        unswept = []
        store?.persistsSince = now
        store?.freeSpace()
        begin(machine.beginPersisting(now: now))
        try finish()
        try finishSlices()
        try checkWhenIdle()
        try recount()
    }

    /// Checks that no token is lost that was served.
    private func checkLosses(_ undecided: ModelKey?) throws {
        guard isIdle, let store, !store.isFull else { return }
        let persisted = Set(store.records.values.map(\.token.fingerprint))
        for key in entries where machine.store.find(key.key) != nil {
            guard let token = key.entry?.token, !persisted.contains(token.fingerprint) else { continue }
            let isReplaced = key === undecided && persisted.contains { tokens[$0]?.key === key }
            if !isReplaced { throw violated("a token that was served would be lost") }
        }
    }

    /// Forgets everything that only the daemon knew.
    ///
    /// The tenants stay as they were.
    private func forgetAll() {
        let configured = configured.map { tenant in
            let next = ModelTenant(tenant.id, tenant.limits, now: now)
            next.behaviour = tenant.behaviour
            return next
        }
        for key in tenants.flatMap(\.keys) { key.current = nil }
        for call in calls { (call.waiters, call.logout) = ([], nil) }
        graveyard += tenants
        tenants = configured
        (calls, unconfirmed, strays, seen) = ([], [], [], 0)
        (waiters, revocations) = ([:], [:])
        (event, wake) = (CacheActions(), nil)
        (counters, sentOnceMore) = (ModelCounters(), 0)
        hasChangedNegatives = false
    }

    private func restore(_ recordID: Int, _ token: PersistedToken, _ before: [ModelEntry]) throws {
        let isTaken = machine.restore(token, recordID: recordID, now: now)
        guard let known = tokens[token.token.fingerprint] else {
            throw violated("a token was persisted that was never minted")
        }
        let key = tenants.first { $0.id.name == token.tenant }
            .flatMap { tenant in tenant.keys.first { $0.key.user.user == token.user && $0.key.scopes == token.scopes } }
            .flatMap { $0.identity == token.identity ? $0 : nil }
        let isExpected = key.map { known.expiry > now && $0.entry.map { $0.arrived < token.arrived } ?? true } ?? false
        guard isTaken == isExpected else {
            throw violated("a token was restored that must not be, or was not though it should be")
        }
        guard isTaken, let key else {
            _ = store?.remove(recordID)
            return
        }
        if known.isRevoked || known.isDropped && !unswept.contains(where: { $0 === known }) {
            throw violated("a dropped token was restored")
        }
        if let before = before.first(where: { $0.token === known }), before.jitterFraction != token.jitterFraction {
            throw violated("a token's jitterFraction has changed")
        }
        take(known, token, as: key)
    }

    private func take(_ known: ModelToken, _ token: PersistedToken, as key: ModelKey) {
        let entry = ModelEntry(
            known,
            jitterFraction: token.jitterFraction,
            arrived: min(token.arrived, now),
            lastUsed: token.lastUsed.map { min($0, now) },
            isUnrequested: token.isUnrequested,
            replacedReported: token.replacedReported,
            owner: key.entry?.owner ?? token.owner,
            policy: policy
        )
        entry.use = key.entry?.use ?? newUse()
        key.entry = entry
        known.isDropped = false
        known.key = key
        known.generation = key.generation
        tally.note(.restored)
    }
}
