import TokenProtocol

/// The tokens: found by key, ordered by when they were last asked for, counted in bytes.
///
/// Entries live in numbered slots; the index leads from a user to the first slot of theirs, and a slot to the next of
/// the same user (scopes are few per user, mostly one). Two more links make the order of use among the entries of one
/// owner, the uid whose they are: the one that had an entry minted, until another one asks for it twice in a row. So an
/// app that goes through all users once takes no entry from another that uses it.
struct EntryStore {
    /// A place for an entry; it is kept when the entry goes, and used again.
    struct Slot {
        var entry: Entry?
        /// When it was last asked for, by the count of all uses.
        fileprivate var use: UInt64 = 0
        fileprivate var newer = none
        fileprivate var older = none
        fileprivate var nextOfUser = none
        fileprivate var owner: Int32 = 0
        /// Who asked last, if that was not the owner; else ``nobody``.
        fileprivate var challenger = nobody
    }

    /// The number that is no slot's; slots' numbers are kept in four bytes, as there may be ten million.
    private static let none: Int32 = -1
    /// The uid that no process has (`chown(2)`): what nobody asked for is its.
    static let nobody = PeerUID.max

    private(set) var slots: ContiguousArray<Slot> = []
    private var free: [Int] = []
    private var index = UserIndex()
    private var owners: ContiguousArray<OwnerList> = []
    private var ownerNumbers: [PeerUID: Int32] = [:]
    private var uses: UInt64 = 0
    private(set) var count = 0
    private(set) var bytes = 0
    /// What came and went since this was last taken, for who keeps the tokens elsewhere, too.
    private(set) var changes: [EntryChange] = []
    /// Whether somebody takes the changes.
    var recordsChanges = false

    /// The slot of a key's entry, the user's name still in the request.
    func find(
        _ tenant: String,
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
            if slots[slot].entry?.key.scopes == scopes { return slot }
            next = nextOfUser(slot)
        }
        return nil
    }

    /// The slot of a key's entry.
    func find(_ key: TokenKey) -> Int? {
        find(key.user.tenant, key.user.user.field, key.user.user.value.span, key.scopes)
    }

    /// The slots of all of a user's entries.
    func find(allOf user: UserKey) -> [Int] {
        var found: [Int] = []
        var next = first(of: user)
        while let slot = next {
            found.append(slot)
            next = nextOfUser(slot)
        }
        return found
    }

    /// The entry in a slot.
    subscript(slot: Int) -> Entry? {
        slots.indices.contains(slot) ? slots[slot].entry : nil
    }

    /// Notes that an entry was asked for by a uid: it becomes the newest of its owner.
    mutating func touch(_ slot: Int, at now: Instant, by peer: PeerUID) {
        slots[slot].entry?.lastAsked = now
        let owner = slots[slot].owner
        if owners[Int(owner)].uid == peer {
            slots[slot].challenger = Self.nobody
            guard owners[Int(owner)].newest != slot else {
                uses += 1
                slots[slot].use = uses
                return
            }
        }
        unlink(slot)
        linkAsNewest(slot, ownerAfterUse(of: slot, by: peer))
    }

    /// Puts an entry in as the newest of its owner; its key must not be in yet.
    mutating func insert(_ entry: Entry, for peer: PeerUID) -> Int {
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(Slot()) }
        let hash = UserIndex.hash(entry.key.user)
        if let first = index.find(hash, isUser: { slots[$0].entry?.key.user == entry.key.user }) {
            slots[slot].nextOfUser = Int32(first)
            index.replace(hash, first, with: slot)
        } else {
            index.insert(hash, slot)
        }
        bytes += entry.size
        count += 1
        slots[slot].entry = entry
        linkAsNewest(slot, number(of: peer))
        if recordsChanges, entry.place == nil { changes.append(.came(entry, slot: slot)) }
        return slot
    }

    /// Changes an entry where it stands; its place in the order stays.
    mutating func replace(_ slot: Int, with entry: Entry) {
        bytes += entry.size - (slots[slot].entry?.size ?? 0)
        noteGoing(slots[slot].entry)
        slots[slot].entry = entry
        if recordsChanges, entry.place == nil { changes.append(.came(entry, slot: slot)) }
    }

    /// Takes an entry out.
    @discardableResult
    mutating func remove(_ slot: Int) -> Entry? {
        guard let entry = self[slot] else { return nil }
        unlink(slot)
        unlinkFromUser(slot, entry.key.user)
        slots[slot] = Slot()
        noteGoing(entry)
        free.append(slot)
        bytes -= entry.size
        count -= 1
        return entry
    }

    /// Takes the changes that are recorded.
    mutating func takeChanges() -> [EntryChange] {
        guard !changes.isEmpty else { return [] }
        defer { changes = [] }
        return changes
    }

    private mutating func noteGoing(_ entry: Entry?) {
        if recordsChanges, let entry, let place = entry.place { changes.append(.went(entry.token, place: place)) }
    }

    private func first(of user: UserKey) -> Int? {
        index.find(UserIndex.hash(user)) { slots[$0].entry?.key.user == user }
    }

    private func nextOfUser(_ slot: Int) -> Int? {
        let next = slots[slot].nextOfUser
        return next == Self.none ? nil : Int(next)
    }

    // MARK: Owners

    /// How many entries each uid has.
    var countsByOwner: [PeerUID: Int] { ownerNumbers.mapValues { owners[Int($0)].count } }

    /// Whose an entry is.
    func owner(of slot: Int) -> PeerUID { owners[Int(slots[slot].owner)].uid }

    /// The slot whose entry goes where there are too many: of what belongs to uids that have more than their quota, or else
    /// of all, what was asked for longest ago.
    ///
    /// - Parameters:
    ///   - limit: How many entries there may be.
    ///   - share: The share of one uid while others have some.
    func nextToGo(limit: Int, share: Double) -> Int? {
        let bound = Quota.bound(limit, share: share, contenders: ownerNumbers.count)
        return oldest { $0.count > bound } ?? oldest { _ in true }
    }

    private func oldest(of isMeant: (OwnerList) -> Bool) -> Int? {
        var found: Int?
        for owner in owners where owner.count > 0 && isMeant(owner) {
            let slot = Int(owner.oldest)
            if slots[slot].use < found.map({ slots[$0].use }) ?? .max { found = slot }
        }
        return found
    }

    private mutating func ownerAfterUse(of slot: Int, by peer: PeerUID) -> Int32 {
        let owner = slots[slot].owner
        guard owners[Int(owner)].uid != peer else { return owner }
        guard slots[slot].challenger == peer else {
            slots[slot].challenger = peer
            return owner
        }
        slots[slot].challenger = Self.nobody
        return number(of: peer)
    }

    /// The number of a uid's list; that of one that has gone is taken for a new one.
    private mutating func number(of peer: PeerUID) -> Int32 {
        if let number = ownerNumbers[peer] { return number }
        let list = OwnerList(uid: peer, newest: Self.none, oldest: Self.none)
        let unused = owners.count == ownerNumbers.count ? nil : owners.firstIndex { $0.count == 0 }
        if let unused { owners[unused] = list } else { owners.append(list) }
        let number = Int32(unused ?? owners.count - 1)
        ownerNumbers[peer] = number
        return number
    }

    // MARK: Links

    private mutating func linkAsNewest(_ slot: Int, _ owner: Int32) {
        let newest = owners[Int(owner)].newest
        uses += 1
        slots[slot].use = uses
        slots[slot].owner = owner
        slots[slot].older = newest
        slots[slot].newer = Self.none
        if newest == Self.none {
            owners[Int(owner)].oldest = Int32(slot)
        } else {
            slots[Int(newest)].newer = Int32(slot)
        }
        owners[Int(owner)].newest = Int32(slot)
        owners[Int(owner)].count += 1
        if owners[Int(owner)].count == 1 { ownerNumbers[owners[Int(owner)].uid] = owner }
    }

    private mutating func unlink(_ slot: Int) {
        let (newer, older, owner) = (slots[slot].newer, slots[slot].older, Int(slots[slot].owner))
        if newer == Self.none { owners[owner].newest = older } else { slots[Int(newer)].older = older }
        if older == Self.none { owners[owner].oldest = newer } else { slots[Int(older)].newer = newer }
        owners[owner].count -= 1
        if owners[owner].count == 0 { ownerNumbers[owners[owner].uid] = nil }
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
}
