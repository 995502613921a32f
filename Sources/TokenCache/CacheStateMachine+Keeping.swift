import TokenProtocol

/// What outlives the daemon.
extension CacheStateMachine {
    /// Whether somebody takes the changes.
    var recordsChanges: Bool {
        get { store.recordsChanges }
        set { store.recordsChanges = newValue }
    }

    /// The tenants and clients that tokens are minted under now.
    var identities: [String: TenantPolicy.Identity] { tenants.mapValues(\.identity) }

    /// Takes in a token that an earlier daemon has kept; ``planRestored(now:)`` has to follow.
    ///
    /// - Parameter identities: ``identities``.
    /// - Returns: Whether it is cached now: it must not have ended, its tenant and client must be configured as they
    ///   were, and no later one must be there.
    mutating func restore(
        _ kept: KeptToken,
        place: Int,
        among identities: [String: TenantPolicy.Identity],
        now: Instant
    ) -> Bool {
        let life = TokenLife(sent: kept.sent, lifetime: kept.lifetime, draw: kept.draw, policy: policy)
        guard identities[kept.key.user.tenant] == kept.identity, life.expiry > now, kept.sent <= now else {
            return false
        }
        let old = store.find(kept.key)
        if let old, let before = store[old], before.arrived >= kept.arrived { return false }
        let entry = Entry(
            key: kept.key,
            token: kept.token,
            life: life,
            arrived: min(kept.arrived, now),
            lastAsked: kept.lastAsked.map { min($0, now) },
            cameUnasked: kept.cameUnasked,
            replacedReported: kept.replacedReported,
            serial: newSerial()
        )
        entry.place = place
        if let old { store.replace(old, with: entry) } else { _ = store.insert(entry, for: kept.owner) }
        return true
    }

    /// Holds what was restored to the cache's bound, and plans its refreshes and ends; those are all entries with a place.
    mutating func planRestored(now: Instant) {
        makeRoom(now: now)
        let restored = store.slots.enumerated().lazy.compactMap { slot, content in
            content.entry?.place.flatMap { _ in content.entry }.map { (slot, $0) }
        }
        refreshTimes.plan(all: restored.map { (EntryReference(slot: $0, serial: $1.serial), $1.life.lastChance) })
        expiryTimes.plan(all: restored.map { (EntryReference(slot: $0, serial: $1.serial), $1.life.expiry) })
    }

    /// An entry as it is kept.
    func kept(_ entry: Entry, _ slot: Int) -> KeptToken {
        let none = TenantPolicy.Identity(host: "", clientID: "")
        return KeptToken(
            key: entry.key,
            identity: tenants[entry.key.user.tenant]?.identity ?? none,
            token: entry.token,
            sent: entry.life.sent,
            lifetime: entry.life.lifetime,
            draw: entry.life.draw,
            arrived: entry.arrived,
            lastAsked: entry.lastAsked,
            cameUnasked: entry.cameUnasked,
            replacedReported: entry.replacedReported,
            owner: store.owner(of: slot)
        )
    }

    /// Whether an entry is in the cache.
    func isThere(_ entry: Entry, _ slot: Int) -> Bool { store[slot] === entry }

    /// How many slots there are.
    var slotCount: Int { store.slots.count }

    /// The entry in a slot, if it is kept nowhere.
    func unkept(_ slot: Int) -> Entry? { store[slot].flatMap { $0.place == nil ? $0 : nil } }

    /// When each of the kept tokens was last asked for, by place.
    var uses: [(place: Int, time: Instant)] {
        store.slots.compactMap { slot in
            guard let entry = slot.entry, let place = entry.place, let time = entry.lastAsked else { return nil }
            return (place, time)
        }
    }

    /// What came and went since this was last taken.
    mutating func takeChanges() -> [EntryChange] { store.takeChanges() }

    /// Forgets where entries are kept, and records no more changes.
    mutating func endKeeping() {
        recordsChanges = false
        _ = store.takeChanges()
        for slot in store.slots.indices { store[slot]?.place = nil }
    }
}
