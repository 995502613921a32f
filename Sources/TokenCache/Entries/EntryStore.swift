import BitCollections
import TokenProtocol

/// The cached tokens, found by key, ordered by last use, with the timers of their refreshes and expiries.
///
/// Entries are in numbered slots. The index maps a user to the first slot, and each slot links to the next slot of the
/// same user (users mostly have one scope). Two more links keep the entries of one owner in the order of use. The owner
/// is the uid that had an entry minted, until another uid requests it twice in a row. So an app that requests all users
/// once takes no entry from an app that uses it.
///
/// A flush costs the same no matter how many entries it drops: it sets a floor, and all entries of the tenant with a
/// serial number up to the floor are gone for everyone. ``sweep(_:_:)`` frees their memory afterwards, in slices.
struct EntryStore {
    /// The maximum number of entries per user.
    ///
    /// Each has other scopes, and a look-up goes through all of them.
    static let maxPerUser = 64

    /// A slot for an entry.
    ///
    /// It is reused after the entry is removed.
    struct Slot {
        var entry: Entry?
        /// In a free slot, the next free slot.
        fileprivate var nextOfUser = none
        fileprivate var rank = Rank()
    }

    /// The position of an entry in the order of use.
    ///
    /// It is a value of its own, so that a hit reads and writes it at once.
    fileprivate struct Rank {
        /// The time of the last use, as a count of all uses.
        var use: UInt64 = 0
        var newer = none
        var older = none
        var owner: Int32 = 0
        /// The uid of the last request if that was not the owner, else ``nobody``.
        var challenger = nobody
    }

    /// The entries of one tenant.
    private struct Share {
        var count = 0
        var bytes = 0
        /// Its slots, including those of flushed entries that have not been swept.
        var slots = BitSet()
        /// The number of entries per owner, by the owner's number.
        var counts: [Int32: Int] = [:]
    }

    /// The progress of freeing flushed entries.
    private struct Sweep {
        var next = 0
        let end: Int
    }

    /// The number of no slot.
    ///
    /// Slot numbers are kept in four bytes, as there may be ten million.
    private static let none: Int32 = -1
    /// A uid that no process has (`chown(2)`).
    ///
    /// It owns the entries that nobody requested.
    static let nobody = PeerUID.max

    /// The number of policies so far.
    ///
    /// The lives of entries are computed under one of them.
    var policyNumber: UInt32 = 0
    private(set) var slots = SegmentedArray<Slot>()
    private var firstFree = none
    private var index = UserIndex()
    private var owners: ContiguousArray<OwnerList> = []
    private var ownerNumbers: [PeerUID: Int32] = [:]
    /// The number of owners that have entries.
    private var ownerCount = 0
    private var shares: [TenantID: Share] = [:]
    /// The serial number per tenant up to which entries are gone.
    private var floors: [TenantID: UInt64] = [:]
    private var sweeps: [TenantID: Sweep] = [:]
    private var uses: UInt64 = 0
    private var refreshTimers = IndexedHeap<Instant, Int>()
    private var expiryTimers = IndexedHeap<Instant, Int>()
    private(set) var count = 0
    private(set) var bytes = 0
    /// The changes to persist since they were last taken.
    private var changes: [PersistenceChange] = []
    /// True if changes are recorded.
    private var recordsChanges = false
    /// The number of entries that are persisted.
    private(set) var persistedCount = 0
    /// The number of the period in which changes are recorded.
    ///
    /// Record IDs of earlier periods are invalid.
    private var persistence: UInt32 = 0

    // MARK: Finding

    /// Returns the slot of a key's entry, looked up by the request's own bytes.
    func find(
        _ tenant: TenantID,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet
    ) -> Int? {
        let count = user.count
        let first = unsafe user.withUnsafeBytes { bytes in
            index.find(UserIndex.hash(tenant, field, user)) { slot in
                guard let key = slots[slot].entry?.key.user, key.user.value.count == count else { return false }
                return unsafe key.user.field == field && key.user.hasValue(bytes) && key.tenant == tenant
            }
        }
        var next = first
        while let slot = next {
            if let entry = slots[slot].entry, entry.key.scopes == scopes { return isGone(entry) ? nil : slot }
            next = nextOfUser(slot)
        }
        return nil
    }

    /// Returns the slot of a key's entry.
    func find(_ key: TokenKey) -> Int? {
        find(key.user.tenant, key.user.user.field, key.user.user.value.span, key.scopes)
    }

    /// Returns the slots of all entries of a user.
    func find(allOf user: UserKey) -> [Int] { chain(of: user).filter { self[$0] != nil } }

    /// The entry in a slot.
    subscript(slot: Int) -> Entry? {
        guard slots.indices.contains(slot), let entry = slots[slot].entry, !isGone(entry) else { return nil }
        return entry
    }

    /// Returns the slots of a tenant's entries, or of all entries, in order, from a slot on.
    func slots(from start: Int, of tenant: TenantID?) -> some Sequence<Int> {
        let own = tenant.map { shares[$0]?.slots ?? [] }
        return (own.map { AnySequence($0[members: start...]) } ?? AnySequence(start..<max(start, slots.count))).lazy
            .filter { self[$0] != nil }
    }

    // MARK: Changing

    /// Records a use of an entry by a uid.
    ///
    /// The entry becomes the newest of its owner.
    mutating func touch(_ slot: Int, _ entry: Entry, at now: Instant, by peer: PeerUID) {
        entry.lastUsed = now
        var rank = slots[slot].rank
        let owner = rank.owner
        if owners[Int(owner)].uid == peer {
            rank.challenger = Self.nobody
            guard owners[Int(owner)].newest != slot else {
                uses += 1
                rank.use = uses
                slots[slot].rank = rank
                return
            }
        } else if rank.challenger == peer {
            rank.challenger = Self.nobody
            rank.owner = number(of: peer)
            account(entry, -1, owner: owner)
            account(entry, 1, owner: rank.owner)
        } else {
            rank.challenger = peer
        }
        unlink(slot)
        linkAsNewest(slot, rank)
    }

    /// Inserts an entry, or replaces the entry of its key and takes over its owner and order.
    ///
    /// - Returns: The number of entries that were removed because the user had too many.
    mutating func put(_ entry: Entry, for peer: PeerUID) -> Int {
        var surplus = 0
        let present = chain(of: entry.key.user).first { slots[$0].entry?.key.scopes == entry.key.scopes }
        if let present, let old = self[present] {
            forgetTimers(of: old)
            account(old, -1, present)
            noteRemoval(of: old)
            slots[present].entry = entry
            added(entry, present)
            return surplus
        }
        // A flush has dropped it, and its slot has not been swept yet.
        if let present { free(present) }
        let own = find(allOf: entry.key.user)
        if own.count >= Self.maxPerUser, let oldest = own.min(by: { slots[$0].rank.use < slots[$1].rank.use }) {
            remove(oldest)
            surplus = 1
        }
        let slot = newSlot()
        let hash = UserIndex.hash(entry.key.user)
        if let first = index.find(hash, isUser: { slots[$0].entry?.key.user == entry.key.user }) {
            slots[slot].nextOfUser = Int32(first)
            index.replace(hash, first, with: slot)
        } else {
            index.insert(hash, slot)
        }
        slots[slot].entry = entry
        linkAsNewest(slot, Rank(owner: number(of: peer)))
        added(entry, slot)
        return surplus
    }

    /// Removes an entry.
    @discardableResult
    mutating func remove(_ slot: Int) -> Entry? {
        guard let entry = self[slot] else { return nil }
        account(entry, -1, slot)
        free(slot)
        return entry
    }

    private mutating func added(_ entry: Entry, _ slot: Int) {
        account(entry, 1, slot)
        shares[entry.key.user.tenant, default: Share()].slots.insert(slot)
        schedule(slot, entry)
        if recordsChanges, recordID(of: entry) == nil { changes.append(.store(entry, slot: slot)) }
    }

    private mutating func account(_ entry: Entry, _ sign: Int, _ slot: Int) {
        count += sign
        bytes += sign * entry.size
        shares[entry.key.user.tenant, default: Share()].count += sign
        shares[entry.key.user.tenant, default: Share()].bytes += sign * entry.size
        account(entry, sign, owner: slots[slot].rank.owner)
    }

    /// Adds an entry to an owner's count, or subtracts it.
    private mutating func account(_ entry: Entry, _ sign: Int, owner: Int32) {
        shares[entry.key.user.tenant]?.counts[owner, default: 0] += sign
        changeCount(of: owner, by: sign)
    }

    private mutating func changeCount(of owner: Int32, by difference: Int) {
        let old = owners[Int(owner)].count
        owners[Int(owner)].count += difference
        ownerCount += (old + difference > 0 ? 1 : 0) - (old > 0 ? 1 : 0)
    }

    private mutating func newSlot() -> Int {
        guard firstFree != Self.none else {
            slots.append(Slot())
            return slots.count - 1
        }
        let slot = Int(firstFree)
        firstFree = slots[slot].nextOfUser
        slots[slot].nextOfUser = Self.none
        return slot
    }

    /// Frees the slot of an entry that is no longer counted.
    private mutating func free(_ slot: Int) {
        guard let entry = slots[slot].entry else { return }
        forgetTimers(of: entry)
        unlink(slot)
        unlinkFromUser(slot, entry.key.user)
        shares[entry.key.user.tenant]?.slots.remove(slot)
        slots[slot] = Slot()
        slots[slot].nextOfUser = firstFree
        firstFree = Int32(slot)
        noteRemoval(of: entry)
    }

    // MARK: Flushing

    private func isGone(_ entry: Entry) -> Bool {
        guard !floors.isEmpty, let floor = floors[entry.key.user.tenant] else { return false }
        return entry.serial <= floor
    }

    /// Returns the serial number up to which everything of a tenant is gone, or zero.
    func floor(of tenant: TenantID) -> UInt64 { floors[tenant] ?? 0 }

    /// Drops all entries of a tenant with a serial number up to this.
    ///
    /// - Returns: The number of dropped entries.
    mutating func flush(_ tenant: TenantID, upTo serial: UInt64) -> Int {
        floors[tenant] = serial
        sweeps[tenant] = Sweep(end: slots.count)
        let dropped = shares[tenant]?.count ?? 0
        count -= dropped
        bytes -= shares[tenant]?.bytes ?? 0
        for (owner, count) in shares[tenant]?.counts ?? [:] { changeCount(of: owner, by: -count) }
        shares[tenant]?.count = 0
        shares[tenant]?.bytes = 0
        shares[tenant]?.counts = [:]
        return dropped
    }

    /// Frees some of the slots that a flush of a tenant has left.
    ///
    /// - Parameter budget: The number of slots to look at, reduced by those that were.
    /// - Returns: True if all are free.
    mutating func sweep(_ tenant: TenantID, _ budget: inout Int) -> Bool {
        guard var sweep = sweeps[tenant], let floor = floors[tenant] else { return true }
        while sweep.next < sweep.end, budget > 0 {
            if let entry = slots[sweep.next].entry, entry.key.user.tenant == tenant, entry.serial <= floor {
                free(sweep.next)
            }
            sweep.next += 1
            budget -= 1
        }
        sweeps[tenant] = sweep.next < sweep.end ? sweep : nil
        return sweeps[tenant] == nil
    }

    /// Removes a floor below which nothing is left.
    mutating func endFlush(of tenant: TenantID) {
        floors[tenant] = nil
        if shares[tenant]?.count == 0 { shares[tenant] = nil }
    }

    // MARK: Timers

    /// The next refresh deadline of any entry.
    var nextRefresh: Instant? { refreshTimers.minPriority }

    /// The time of the next timer.
    var nextTime: Instant? { [refreshTimers.minPriority, expiryTimers.minPriority].compactMap(\.self).min() }

    /// Schedules an entry's refresh and expiry.
    mutating func schedule(_ slot: Int, _ entry: Entry) {
        forgetTimers(of: entry)
        entry.refreshTimer = refreshTimers.insert(slot, at: entry.life.refreshDeadline)
        entry.expiryTimer = expiryTimers.insert(slot, at: entry.life.expiry)
    }

    /// Takes the slot of an entry whose refresh deadline has come.
    mutating func takeRefresh(at now: Instant) -> Int? {
        guard let slot = refreshTimers.removeMin(upTo: now) else { return nil }
        slots[slot].entry?.refreshTimer = nil
        return slot
    }

    /// Takes the slot of an entry that has expired.
    mutating func takeExpired(at now: Instant) -> Int? {
        guard let slot = expiryTimers.removeMin(upTo: now) else { return nil }
        slots[slot].entry?.expiryTimer = nil
        return slot
    }

    private mutating func forgetTimers(of entry: Entry) {
        if let timer = entry.refreshTimer { refreshTimers.remove(timer) }
        if let timer = entry.expiryTimer { expiryTimers.remove(timer) }
        (entry.refreshTimer, entry.expiryTimer) = (nil, nil)
    }

    // MARK: Persistence

    /// Starts recording changes.
    mutating func beginRecording() {
        guard !recordsChanges else { return }
        recordsChanges = true
        persistence += 1
    }

    /// Stops recording changes, and invalidates all record IDs.
    mutating func endRecording() {
        recordsChanges = false
        persistence += 1
        persistedCount = 0
        changes = []
    }

    /// Takes the recorded changes, tokens to store first.
    ///
    /// So a token is stored before the one that it replaces is removed. A daemon that is killed in between leaves both,
    /// and the next daemon takes the later one.
    mutating func takeChanges() -> [PersistenceChange] {
        guard !changes.isEmpty else { return [] }
        defer { changes = [] }
        return changes.filter(\.isStore) + changes.filter { !$0.isStore }
    }

    /// Records that an entry is to be persisted, if it isn't yet.
    mutating func persist(_ slot: Int) {
        guard recordsChanges, let entry = self[slot], recordID(of: entry) == nil else { return }
        changes.append(.store(entry, slot: slot))
    }

    /// Records that an entry's last use is to be persisted, if it isn't yet.
    mutating func persistUse(_ slot: Int) {
        guard recordsChanges, let entry = self[slot], let recordID = recordID(of: entry), let use = entry.lastUsed,
            entry.persistedUse != use
        else { return }
        entry.persistedUse = use
        changes.append(.use(recordID: recordID, use))
    }

    /// Sets the record ID of an entry that is still in the store.
    mutating func persisted(_ entry: Entry, slot: Int, recordID: Int?) {
        if self[slot] === entry { setRecordID(recordID, of: entry) }
    }

    private mutating func noteRemoval(of entry: Entry) {
        guard recordsChanges, let recordID = recordID(of: entry) else { return }
        changes.append(.remove(entry.token, recordID: recordID))
        persistedCount -= 1
    }

    /// Sets the record ID of an entry that may not be in the store yet.
    mutating func setRecordID(_ recordID: Int?, of entry: Entry) {
        persistedCount += (recordID == nil ? 0 : 1) - (isPersisted(entry) ? 1 : 0)
        entry.record = recordID.map { ($0, persistence) }
        entry.persistedUse = entry.lastUsed
    }

    /// True if an entry is persisted.
    func isPersisted(_ entry: Entry) -> Bool { recordID(of: entry) != nil }

    private func recordID(of entry: Entry) -> Int? {
        entry.record.flatMap { $0.persistence == persistence ? $0.id : nil }
    }

    // MARK: Users

    private func first(of user: UserKey) -> Int? {
        index.find(UserIndex.hash(user)) { slots[$0].entry?.key.user == user }
    }

    private func nextOfUser(_ slot: Int) -> Int? {
        let next = slots[slot].nextOfUser
        return next == Self.none ? nil : Int(next)
    }

    private func chain(of user: UserKey) -> [Int] {
        var found: [Int] = []
        var next = first(of: user)
        while let slot = next {
            found.append(slot)
            next = nextOfUser(slot)
        }
        return found
    }

    private mutating func unlinkFromUser(_ slot: Int, _ user: UserKey) {
        let next = nextOfUser(slot)
        guard var previous = first(of: user), previous != slot else {
            let hash = UserIndex.hash(user)
            if let next { index.replace(hash, slot, with: next) } else { index.remove(hash, slot) }
            return
        }
        while let following = nextOfUser(previous), following != slot { previous = following }
        slots[previous].nextOfUser = slots[slot].nextOfUser
    }

    // MARK: Owners

    /// The number of entries per uid.
    var countsByOwner: [PeerUID: Int] { ownerNumbers.mapValues { owners[Int($0)].count }.filter { $0.value > 0 } }

    /// Returns the owner of an entry.
    func owner(of slot: Int) -> PeerUID { owners[Int(slots[slot].rank.owner)].uid }

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
        let bound = Quota.bound(limit, share: share, contenders: ownerCount)
        while budget > 0, let slot = oldest(of: { $0.count > bound }) ?? oldest(of: { $0.count > 0 }) {
            budget -= 1
            if remove(slot) != nil { return true }
            free(slot)
        }
        return false
    }

    private func oldest(of isMeant: (OwnerList) -> Bool) -> Int? {
        var found: Int?
        for owner in owners where isMeant(owner) {
            let slot = Int(owner.oldest)
            if slots[slot].rank.use < found.map({ slots[$0].rank.use }) ?? .max { found = slot }
        }
        return found
    }

    /// Returns the number of a uid's list, reusing the list of a uid that has no entries left.
    private mutating func number(of peer: PeerUID) -> Int32 {
        if let number = ownerNumbers[peer] { return number }
        let list = OwnerList(uid: peer, newest: Self.none, oldest: Self.none)
        let unused = owners.count == ownerNumbers.count ? nil : owners.firstIndex { $0.linked == 0 }
        if let unused { owners[unused] = list } else { owners.append(list) }
        let number = Int32(unused ?? owners.count - 1)
        ownerNumbers[peer] = number
        return number
    }

    // MARK: Links

    private mutating func linkAsNewest(_ slot: Int, _ rank: Rank) {
        let owner = Int(rank.owner)
        let newest = owners[owner].newest
        uses += 1
        var rank = rank
        (rank.use, rank.newer, rank.older) = (uses, Self.none, newest)
        slots[slot].rank = rank
        if newest == Self.none {
            owners[owner].oldest = Int32(slot)
        } else {
            slots[Int(newest)].rank.newer = Int32(slot)
        }
        owners[owner].newest = Int32(slot)
        owners[owner].linked += 1
        if owners[owner].linked == 1 { ownerNumbers[owners[owner].uid] = rank.owner }
    }

    private mutating func unlink(_ slot: Int) {
        let rank = slots[slot].rank
        let owner = Int(rank.owner)
        if rank.newer == Self.none {
            owners[owner].newest = rank.older
        } else {
            slots[Int(rank.newer)].rank.older = rank.older
        }
        if rank.older == Self.none {
            owners[owner].oldest = rank.newer
        } else {
            slots[Int(rank.older)].rank.newer = rank.newer
        }
        owners[owner].linked -= 1
        if owners[owner].linked == 0 { ownerNumbers[owners[owner].uid] = nil }
    }
}
