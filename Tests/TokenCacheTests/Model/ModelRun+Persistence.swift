import Secrets
@testable import TokenCache
import TokenProtocol

/// What the next daemon finds.
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
    /// How often uses are persisted at least.
    private var usesInterval: Duration { min(.seconds(60), policy.idleTTL / 4) }

    func beginPersisting() throws {
        store = ModelStore(capacity: random.pick([4, 1_000, 1_000]), since: now)
        begin(machine.beginPersisting(now: now))
        try finish()
    }

    func endPersisting() {
        machine.endPersisting()
        store = nil
        // What was to be done at a time may not be due any more: the cache says so when it is called next.
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
        for change in changes.prefix(count) { try take(change) }
    }

    private func take(_ change: PersistenceChange) throws {
        switch change {
        case .store(let reference):
            guard let token = machine.persisted(reference) else { return }
            machine.persisted(reference, as: store?.persist(token))
        case .remove(let token, let recordID):
            guard store?.remove(recordID)?.token.fingerprint == token.fingerprint else {
                throw violated("a record was to be removed that is another's, or isn't there")
            }
        case .use(let recordID, let time):
            guard store?.note(recordID, time) ?? false else { throw violated("a use was noted of a record that is gone") }
        }
    }

    /// Each token is persisted, nothing else is, and a use is persisted in time.
    func check(_ store: ModelStore) throws {
        guard !store.isFull else { return }
        guard store.records.count == entries.count else {
            throw violated("\(store.records.count) tokens are persisted, not \(entries.count)")
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
        if now - max(use, store.persistsSince) > usesInterval, !Self.reloadsPostponeUses {
            throw violated("a use is not persisted though \(now - use) have passed")
        }
        tally.note(.useForgotten)
    }

    // MARK: The next daemon

    /// The daemon is killed, and another takes over what it has persisted.
    func killAndRestore() throws {
        guard store != nil else { return }
        try loseMint()
        forgetAll()
        now += random.pick([.zero, .milliseconds(20), .seconds(3), .seconds(100)])
        machine = CacheStateMachine(
            policy: policy,
            tenants: Dictionary(uniqueKeysWithValues: configured.map { ($0.id, $0.limits) }),
            random: SeededRandom(seed: random.next()),
            sliceSize: sliceSize,
            now: now
        )
        let living = tokens.values.filter { !$0.isDropped && !$0.isRevoked && $0.expiry > now }
        for (recordID, token) in store?.inOrder ?? [] { try restore(recordID, token) }
        for token in living where token.key.entry == nil && !(store?.isFull ?? true) {
            if token.key.tenant.isRetired { continue }
            throw violated("a token is lost that was answered")
        }
        store?.hasRoomAgain()
        store?.persistsSince = now
        begin(machine.beginPersisting(now: now))
        try finish()
        try settle()
        try recount()
    }

    /// The daemon ends as it should: uses are persisted, and what was still to be revoked is in the audit trail.
    func shutDown() throws {
        begin(machine.persistUses(now: now))
        try finish()
        if let store, isSettled {
            for (_, token) in store.inOrder {
                let entry = tokens[token.token.fingerprint]?.key.entry
                guard entry?.lastAsked == token.lastAsked else { throw violated("a use was not persisted at the end") }
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

    /// A mint comes back in the moment in which the daemon is killed: some of what follows has been persisted.
    private func loseMint() throws {
        guard random.once(in: 2), let call = calls.first(where: { $0.isSent && $0.key != nil && $0.fate == .current }),
            let key = call.key, let id = call.id, let sent = call.sent, isSettled
        else { return }
        let text = newToken()
        let token = ModelToken(text, call, key, sent: sent, lifetime: .seconds(600))
        guard token.left(at: now) > .seconds(1) else { return }
        begin(machine.ended(id, .minted(text, scope: nil, lifetime: .seconds(600)), now: now, wall: Self.wall))
        guard event.changes.contains(where: \.isStore) else { return }
        tally.note(.killedBetweenChanges)
        tokens[token.fingerprint] = token
        let count = random.below(event.changes.count + 1)
        try takeChanges(upTo: count)
        let isPersisted = store?.records.values.contains { $0.token.fingerprint == token.fingerprint } ?? false
        token.isDropped = !isPersisted
        let old = key.entry?.token
        // Whatever had to go for it is still there, or is gone; the next daemon decides between old and new.
        if isPersisted { old?.isDropped = true }
        for other in entries {
            guard let present = other.entry?.token, present !== old else { continue }
            present.isDropped = machine.store.find(other.key) == nil
        }
    }

    private func restore(_ recordID: Int, _ token: PersistedToken) throws {
        let isTaken = machine.restore(token, recordID: recordID, now: now)
        guard let known = tokens[token.token.fingerprint] else { throw violated("a token was persisted that nobody minted") }
        let tenant = configured.first { $0.id.name == token.tenant && $0.limits.identity == token.identity }
        guard let key = tenant.flatMap({ key(known, at: $0) }), known.expiry > now else {
            guard !isTaken else { throw violated("a token was restored that has ended, or of another tenant") }
            _ = store?.remove(recordID)
            return
        }
        let isNewest = key.entry.map { $0.arrived < token.arrived } ?? true
        guard isTaken == isNewest else { throw violated("the wrong one of two tokens of a key was restored") }
        guard isTaken else {
            _ = store?.remove(recordID)
            return
        }
        if known.isRevoked || known.isDropped, !unswept.contains(where: { $0 === known }), key.tenant === known.key.tenant {
            if !wasReplaced.contains(where: { $0 === known }) { throw violated("a token was restored that was dropped") }
        }
        take(known, token, as: key)
    }

    /// The key of a token, which may have been minted for the same tenant before a reload removed it for a time.
    private func key(_ token: ModelToken, at tenant: ModelTenant) -> ModelKey? {
        let own = token.key.key
        return tenant.keys.first { $0.key.user.user == own.user.user && $0.key.scopes == own.scopes }
    }

    private func take(_ known: ModelToken, _ token: PersistedToken, as key: ModelKey) {
        let entry = ModelEntry(
            known,
            jitterFraction: token.jitterFraction,
            arrived: min(token.arrived, now),
            lastAsked: token.lastAsked.map { min($0, now) },
            cameUnasked: token.cameUnasked,
            replacedReported: token.replacedReported,
            owner: token.owner,
            policy: policy
        )
        entry.use = newUse()
        key.entry = entry
        tally.note(.restored)
    }
}
