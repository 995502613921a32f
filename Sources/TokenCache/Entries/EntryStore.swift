import TokenProtocol
import TokenStorage

/// The cached tokens, found by key, ordered by last use, with the timers of their refreshes and expiries.
///
/// A token's record in the storage is its entry. ``EntrySlots`` has a numbered slot for each and finds it by user.
/// ``UseOrder`` and ``EntryTimers`` have positions for each slot, and ``TenantShares`` counts.
///
/// A flush costs the same no matter how many entries it drops: it sets a floor, and all entries of the tenant that were
/// not used since are gone for everyone. ``sweep(_:_:)`` frees their memory afterwards, in slices.
struct EntryStore {
    /// The maximum number of entries per user.
    ///
    /// Each has other scopes, and a look-up goes through all of them.
    static let maxPerUser = 64
    /// A uid that no process has (`chown(2)`).
    ///
    /// It owns the entries that nobody requested.
    static let nobody = UseOrder.nobody
    /// The size in bytes of an entry beside its record: its slot with its positions, and its share of the index.
    static let sizeBesideRecord =
        MemoryLayout<EntrySlots.Slot>.stride + UseOrder.size + EntryTimers.size + UserIndex.size

    /// The tokens' memory.
    let memory: CacheMemory
    let records: TokenRecords
    /// The number of policies so far.
    private(set) var policyNumber: UInt32 = 0
    private(set) var policy: LifePolicy
    private(set) var slots: EntrySlots
    private var order = UseOrder()
    private var shares = TenantShares()
    private var timers = EntryTimers()
    /// The floors of flushed tenants, until their entries are swept.
    private var floors: [TenantID: FlushFloor] = [:] { didSet { noteRestrictions() } }
    /// The fences up to which the entries of tenants are looked up in the second level before they are served.
    var suspects: [TenantID: FleetFence] = [:] { didSet { noteRestrictions() } }
    /// The records that were found in the second level since events were lost: they are no suspects any more.
    var verified: Set<RecordID> = []
    /// True if there are floors or suspects, so that a hit has one thing to look at.
    private(set) var hasRestrictions = false

    /// The number of entries.
    var count: Int { shares.count }
    /// The size of the entries in bytes.
    var bytes: Int { shares.bytes }

    init(in memory: CacheMemory, policy: CachePolicy) {
        self.memory = memory
        records = memory.storage.records
        slots = EntrySlots(memory.storage.records)
        self.policy = LifePolicy(policy)
    }

    // MARK: Finding

    /// Returns the slot of a key's entry, looked up by the request's own bytes.
    func find(
        _ tenant: TenantID,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet
    ) -> Int? {
        guard let found = slots.find(tenant, field, user, scopes), !isGone(found) else { return nil }
        return found
    }

    /// Returns the slot of a key's entry.
    func find(_ key: TokenKey) -> Int? {
        find(key.user.tenant, key.user.user.field, key.user.user.value.span, key.scopes)
    }

    /// Returns the slots of all entries of a user.
    func find(allOf user: UserKey) -> [Int] { slots.find(allOf: user).filter { !isGone($0) } }

    /// True if there is an entry in a slot.
    func contains(_ slot: Int) -> Bool {
        slots.indices.contains(slot) && slots[slot].record != .none && !isGone(slot)
    }

    /// Returns the slots of a tenant's entries, or of all entries, in order, from a slot on.
    func slots(from start: Int, of tenant: TenantID?) -> some Sequence<Int> {
        let own = tenant.map { shares.slots(of: $0, from: start) }
        return (own.map { AnySequence($0) } ?? AnySequence(start..<max(start, slots.count))).lazy
            .filter { contains($0) }
    }

    // MARK: Changing

    /// Records a use of an entry by a uid.
    ///
    /// The entry becomes the newest of its owner.
    mutating func touch(_ slot: Int, at now: Int64, by peer: PeerUID) {
        let record = records[slots[slot].record]
        record.lastUsed = now
        guard let change = order.touch(slot, by: peer) else { return }
        record.owner = peer
        shares.move(of: tenant(of: slot), change)
        order.changeCount(of: change.old, by: -1)
        order.changeCount(of: change.new, by: 1)
    }

    /// Makes a record the entry of its key, in place of the present one, whose owner and order it takes over.
    ///
    /// - Parameter isOrdered: False for a restored entry, which gets its position by ``linkAsOldest(_:)``.
    /// - Returns: The slot, and the number of entries that were removed because the user had too many.
    mutating func put(
        _ record: RecordID,
        _ key: TokenKey,
        for peer: PeerUID,
        isOrdered: Bool = true
    ) -> (slot: Int, surplus: Int) {
        let own = slots.find(allOf: key.user)
        let present = own.first { slots.groups.isGroup(slots[$0].group, key.user.tenant, key.scopes) }
        if let present, !isGone(present) {
            replace(present, with: record)
            return (present, 0)
        }
        // A flush has dropped it, and its slot has not been swept yet.
        if let present { free(present) }
        let surplus = removeSurplus(own.filter { $0 != present && !isGone($0) })
        let group = slots.join(key.user.tenant, key.scopes)
        return (add(record, group, hash: UserIndex.hash(key.user), for: peer, isOrdered: isOrdered), surplus)
    }

    /// Makes a restored record the entry of a user who has none.
    ///
    /// - Parameters:
    ///   - record: The record.
    ///   - group: The number of its tenant and scopes, from ``join(_:_:)``.
    ///   - hash: The hash of the user.
    /// - Returns: The slot.
    mutating func restore(_ record: RecordID, _ group: UInt32, hash: UInt32) -> Int {
        slots.join(group)
        return add(record, group, hash: hash, for: records[record].owner, isOrdered: false)
    }

    private mutating func add(
        _ record: RecordID,
        _ group: UInt32,
        hash: UInt32,
        for peer: PeerUID,
        isOrdered: Bool
    ) -> Int {
        let slot = slots.add(record, group, hash: hash)
        if isOrdered { order.add(slot, of: peer) } else { order.addUnordered(slot, of: peer) }
        let owner = order.owner(of: slot)
        shares.insert(slot, of: tenant(of: slot), size: size(of: slot), owner: owner)
        order.changeCount(of: owner, by: 1)
        schedule(slot)
        return slot
    }

    private mutating func replace(_ slot: Int, with record: RecordID) {
        account(slot, -1)
        let old = slots.replace(slot, with: record)
        records[record].owner = order.uid(of: order.owner(of: slot))
        // The new record is complete. If the daemon is killed before the old one is gone, the later one counts.
        memory.storage.remove(old)
        account(slot, 1)
        schedule(slot)
    }

    private mutating func removeSurplus(_ own: [Int]) -> Int {
        guard own.count >= Self.maxPerUser, let oldest = own.min(by: { order.use(of: $0) < order.use(of: $1) }) else {
            return 0
        }
        remove(oldest)
        return 1
    }

    /// Removes an entry, and overwrites its token.
    ///
    /// - Returns: True if there was one.
    @discardableResult
    mutating func remove(_ slot: Int) -> Bool {
        guard contains(slot) else { return false }
        account(slot, -1)
        free(slot)
        return true
    }

    /// Returns the tenant of an entry.
    func tenant(of slot: Int) -> TenantID { slots.groups.tenant(of: slots[slot].group) }

    /// Returns the size of an entry in bytes.
    private func size(of slot: Int) -> Int { memory.storage.size(of: slots[slot].record) + Self.sizeBesideRecord }

    /// Counts an entry, or no longer counts it.
    private mutating func account(_ slot: Int, _ sign: Int) {
        let owner = order.owner(of: slot)
        shares.account(sign, of: tenant(of: slot), size: size(of: slot), owner: owner)
        order.changeCount(of: owner, by: sign)
    }

    /// Frees the slot of an entry that is no longer counted.
    private mutating func free(_ slot: Int) {
        let record = slots[slot].record
        guard record != .none else { return }
        timers.remove(slot)
        order.remove(slot)
        shares.free(slot, of: tenant(of: slot))
        slots.free(slot)
        memory.storage.remove(record)
    }

    // MARK: Groups

    /// Returns the number of a tenant and scopes, which stays until ``leave(_:)``.
    mutating func join(_ tenant: TenantID, _ scopes: ScopeSet) -> UInt32 { slots.join(tenant, scopes) }

    /// Gives back a number from ``join(_:_:)``.
    mutating func leave(_ group: UInt32) { slots.leave(group) }

    // MARK: Flushing

    private mutating func noteRestrictions() { hasRestrictions = !floors.isEmpty || !suspects.isEmpty }

    private func isGone(_ slot: Int) -> Bool {
        guard hasRestrictions, let floor = floors[tenant(of: slot)] else { return false }
        return order.use(of: slot) <= floor.use
    }

    /// Returns the serial number up to which all calls of a tenant are outdated, or zero.
    func floor(of tenant: TenantID) -> UInt64 { floors[tenant]?.serial ?? 0 }

    /// Drops all entries of a tenant.
    ///
    /// - Parameter serial: The serial number up to which the tenant's calls are outdated.
    /// - Returns: The number of dropped entries.
    mutating func flush(_ tenant: TenantID, upTo serial: UInt64) -> Int {
        floors[tenant] = FlushFloor(serial: serial, use: order.uses, end: slots.count)
        let dropped = shares.flush(tenant)
        for (owner, count) in dropped.counts { order.changeCount(of: owner, by: -count) }
        return dropped.count
    }

    /// Frees some of the slots that a flush of a tenant has left.
    ///
    /// - Parameter budget: The number of slots to look at, reduced by those that were.
    /// - Returns: True if all are free.
    mutating func sweep(_ tenant: TenantID, _ budget: inout Int) -> Bool {
        guard var floor = floors[tenant] else { return true }
        while floor.next < floor.end, budget > 0 {
            let slot = floor.next
            if slots[slot].record != .none, slots.groups.isGroup(slots[slot].group, of: tenant),
                order.use(of: slot) <= floor.use
            {
                free(slot)
            }
            floor.next += 1
            budget -= 1
        }
        floors[tenant] = floor
        return floor.next >= floor.end
    }

    /// Frees all that flushes have left, at the end of the daemon.
    mutating func finishSweeps() {
        for slot in slots.indices where slots[slot].record != .none && isGone(slot) { free(slot) }
    }

    /// Removes a floor below which nothing is left.
    mutating func endFlush(of tenant: TenantID) {
        floors[tenant] = nil
        shares.endFlush(of: tenant)
    }

    // MARK: Timers

    /// The next refresh deadline of any entry.
    var nextRefresh: Instant? { timers.nextRefresh.map(memory.clock.instant) }

    /// The time of the next timer.
    var nextTime: Instant? { timers.next.map(memory.clock.instant) }

    /// The slots of the entries with a refresh timer, the soonest first.
    ///
    /// Entries of a flushed tenant are among them until they are swept.
    var slotsByRefresh: some Sequence<Int> { timers.slotsByRefresh }

    /// True if a timer will refresh an entry.
    func hasRefreshTimer(_ slot: Int) -> Bool { timers.hasRefresh(slot) }

    /// Applies another policy to all lives.
    ///
    /// The timer of each slot is set anew by ``schedule(_:)``.
    mutating func apply(_ policy: CachePolicy) {
        self.policy = LifePolicy(policy)
        policyNumber += 1
    }

    /// Schedules an entry's refresh, which its expiry follows.
    mutating func schedule(_ slot: Int) {
        guard slots[slot].record != .none else { return }
        timers.setRefresh(slot, at: records[slots[slot].record].sent + ages(of: slot).refreshDeadline)
    }

    /// Takes the slot of an entry whose refresh deadline has come, and schedules its expiry.
    mutating func takeRefresh(at now: Instant) -> Int? {
        guard let slot = timers.takeRefresh(at: memory.clock.nanoseconds(of: now)) else { return nil }
        timers.setExpiry(slot, at: records[slots[slot].record].sent + ages(of: slot).lifetime)
        return slot
    }

    /// Takes the slot of an entry that has expired.
    mutating func takeExpired(at now: Instant) -> Int? {
        timers.takeExpired(at: memory.clock.nanoseconds(of: now))
    }

    // MARK: Owners

    /// The number of entries per uid.
    var countsByOwner: [PeerUID: Int] { order.countsByOwner }

    /// Returns the owner of an entry.
    func owner(of slot: Int) -> PeerUID { order.uid(of: order.owner(of: slot)) }

    /// Gives a restored entry its position, behind all entries that have one.
    mutating func linkAsOldest(_ slot: Int) { order.linkAsOldest(slot) }

    /// Removes the entry to evict when there are too many, by quota and last use.
    ///
    /// It is the least recently used one of the uids over their quota, or of all if there are none. Flushed entries
    /// that are found on the way are freed.
    ///
    /// - Parameters:
    ///   - limit: The maximum number of entries.
    ///   - share: The share of one uid while others have entries.
    ///   - budget: The number of slots to free, reduced by those that were.
    /// - Returns: True if an entry was removed.
    mutating func removeOldest(limit: Int, share: Double, _ budget: inout Int) -> Bool {
        let bound = Quota.bound(limit, share: share, contenders: order.ownerCount)
        while budget > 0,
            let slot = order.oldest(ofOwnersAbove: bound) ?? order.oldest(ofOwnersAbove: 0)
        {
            budget -= 1
            if remove(slot) { return true }
            free(slot)
        }
        return false
    }
}
