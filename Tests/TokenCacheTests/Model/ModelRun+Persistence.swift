import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// The store of tokens that the next daemon finds.
struct ModelStore {
    private(set) var records: [Int: PersistedToken] = [:]
    private let capacity: Int
    private var lastRecordID = 0
    /// Whether there was no room for some token.
    private(set) var isFull = false
    /// Since when uses are persisted from time to time.
    var persistsSince: Instant

    init(capacity: Int, since start: Instant) {
        self.capacity = capacity
        persistsSince = start
    }

    var hasRoom: Bool { records.count < capacity }

    mutating func persist(_ token: PersistedToken) -> Int? {
        guard hasRoom else {
            isFull = true
            return nil
        }
        lastRecordID += 1
        records[lastRecordID] = token
        return lastRecordID
    }

    mutating func remove(_ recordID: Int) -> PersistedToken? { records.removeValue(forKey: recordID) }

    /// Notes a use; whether there is such a record.
    mutating func note(_ recordID: Int, _ time: Instant) -> Bool {
        guard records[recordID] != nil else { return false }
        records[recordID]?.lastAsked = time
        return true
    }

    mutating func hasRoomAgain() { isFull = false }

    /// The records in the order in which they are handed over: what was asked for last at the end.
    var inOrder: [(recordID: Int, token: PersistedToken)] {
        records.sorted { left, right in
            (left.value.lastAsked ?? ModelRun.start - .seconds(1), left.key)
                < (right.value.lastAsked ?? ModelRun.start - .seconds(1), right.key)
        }
        .map { ($0.key, $0.value) }
    }
}

/// Persisting, and the daemon's death at any time.
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
        // The cache says when it is called next that nothing is due for the store any more.
    }

    /// Some room has come free in the store.
    func makeRoomInStore() throws {
        guard store?.isFull ?? false, store?.hasRoom ?? false else { return }
        store?.hasRoomAgain()
        begin(machine.persistenceHasRoom(now: now))
        try finish()
    }

    // MARK: Changes

    /// Does what the store is told, in the order in which the shell does it.
    func takeChanges(upTo count: Int = .max) throws {
        let changes = event.changes.filter(\.isStore) + event.changes.filter { !$0.isStore }
        event.changes = []
        guard store != nil else {
            if !changes.isEmpty { throw violated("something was to be persisted though nothing is") }
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
                throw violated("a record was to be removed that is another's, or isn't there")
            }
        case .use(let recordID, let time):
            guard store?.note(recordID, time) ?? false else {
                throw violated("a use was noted of a record that is gone")
            }
        }
    }

    /// Each token is persisted, nothing else is, and a use is persisted in time.
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

    /// After a crash, those who were seen lately count as in use.
    private func checkUse(_ token: PersistedToken, _ entry: ModelEntry, _ store: ModelStore) throws {
        guard let use = entry.lastAsked, use != token.lastAsked else { return }
        if now - max(use, store.persistsSince) > usesInterval {
            throw violated("a use is not persisted though \(now - use) have passed")
        }
        tally.note(.useForgotten)
    }

    // MARK: The end

    /// The daemon ends as it should: uses are persisted, and what was still to be revoked is in the audit trail.
    func shutDown() throws {
        try settle()
        begin(machine.persistUses(now: now))
        try finish()
        for token in store?.records.values.map(\.self) ?? [] {
            guard let entry = tokens[token.token.fingerprint]?.key.entry, entry.lastAsked == token.lastAsked else {
                throw violated("a use was not persisted at the end")
            }
        }
        begin(machine.shutDown(now: now))
        for record in event.records {
            guard case .revocation(_, _, let fingerprint, .dropped) = record.act,
                revocations.removeValue(forKey: fingerprint) != nil
            else { throw violated("the audit trail tells of something else than of what was still to be revoked") }
        }
        guard revocations.isEmpty else { throw violated("what was still to be revoked is not in the audit trail") }
    }

    /// A mint comes back in the moment in which the daemon is killed: only some of what follows has been persisted.
    ///
    /// - Returns: The key, which may have either token then.
    private func loseMint() throws -> ModelKey? {
        let call = calls.first { $0.isSent && $0.fate == .current && $0.key != nil }
        guard isSettled, random.once(in: 2), let call, let key = call.key, let id = call.id, let sent = call.sent
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

    /// The daemon is gone, and another takes over what it has persisted.
    ///
    /// - Parameter isOrderly: Whether it has ended as it should.
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
        store?.hasRoomAgain()
        begin(machine.beginPersisting(now: now))
        try finish()
        try settle()
        try checkSettled()
        try recount()
    }

    /// No token is lost that was answered.
    private func checkLosses(_ undecided: ModelKey?) throws {
        guard isSettled, let store, !store.isFull else { return }
        let persisted = Set(store.records.values.map(\.token.fingerprint))
        for key in entries where machine.store.find(key.key) != nil {
            guard let token = key.entry?.token, !persisted.contains(token.fingerprint) else { continue }
            let isReplaced = key === undecided && persisted.contains { tokens[$0]?.key === key }
            if !isReplaced { throw violated("a token would be lost that was answered") }
        }
    }

    /// Forgets all that only the daemon knew; the tenants are as they were.
    private func forgetAll() {
        let configured = configured.map { tenant in
            let next = ModelTenant(tenant.id, tenant.limits, now: now)
            next.mood = tenant.mood
            return next
        }
        for key in tenants.flatMap(\.keys) { key.current = nil }
        for call in calls { (call.waiters, call.logout) = ([], nil) }
        graveyard += tenants
        tenants = configured
        (calls, unseen, strays, seen) = ([], [], [], 0)
        (waiters, revocations) = ([:], [:])
        (event, wake) = (CacheActions(), nil)
        (counters, sentOnceMore) = (ModelCounters(), 0)
        hasChangedNegatives = false
    }

    private func restore(_ recordID: Int, _ token: PersistedToken, _ before: [ModelEntry]) throws {
        let isTaken = machine.restore(token, recordID: recordID, now: now)
        guard let known = tokens[token.token.fingerprint] else {
            throw violated("a token was persisted that nobody minted")
        }
        let key = tenants.first { $0.id.name == token.tenant && $0.limits.identity == token.identity }
            .flatMap { tenant in tenant.keys.first { $0.key.user.user == token.user && $0.key.scopes == token.scopes } }
        let isExpected = key.map { known.expiry > now && $0.entry.map { $0.arrived < token.arrived } ?? true } ?? false
        guard isTaken == isExpected else {
            throw violated("a token was restored that must not be, or one was not that should be")
        }
        guard isTaken, let key else {
            _ = store?.remove(recordID)
            return
        }
        if known.isRevoked || known.isDropped && !unswept.contains(where: { $0 === known }) {
            throw violated("a token was restored that was dropped")
        }
        if let before = before.first(where: { $0.token === known }), before.jitterFraction != token.jitterFraction {
            throw violated("a token's share of the band was drawn anew")
        }
        take(known, token, as: key)
    }

    private func take(_ known: ModelToken, _ token: PersistedToken, as key: ModelKey) {
        let entry = ModelEntry(
            known,
            jitterFraction: token.jitterFraction,
            arrived: min(token.arrived, now),
            lastAsked: token.lastAsked.map { min($0, now) },
            cameUnasked: token.cameUnasked,
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
