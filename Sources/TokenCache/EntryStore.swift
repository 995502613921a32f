import TokenProtocol

/// The tokens: found by key, ordered by when they were last asked for, counted in bytes.
///
/// Entries live in numbered slots; the index leads from a user to the first slot of theirs, and a slot to the next of
/// the same user (scopes are few per user, mostly one). Two more links make the order of use.
struct EntryStore {
    /// A place for an entry; it is kept when the entry goes, and used again.
    struct Slot {
        var entry: Entry?
        var newer = none
        var older = none
        var nextOfUser = none
    }

    /// The number that is no slot's.
    static let none = -1

    private(set) var slots: ContiguousArray<Slot> = []
    private var free: [Int] = []
    private var index = UserIndex()
    private var newest = EntryStore.none
    private(set) var oldest = EntryStore.none
    private(set) var count = 0
    private(set) var bytes = 0

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
        var slot = first ?? Self.none
        while slot != Self.none {
            if slots[slot].entry?.key.scopes == scopes { return slot }
            slot = slots[slot].nextOfUser
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
        var slot = first(of: user) ?? Self.none
        while slot != Self.none {
            found.append(slot)
            slot = slots[slot].nextOfUser
        }
        return found
    }

    /// The entry in a slot.
    subscript(slot: Int) -> Entry? {
        slots.indices.contains(slot) ? slots[slot].entry : nil
    }

    /// Notes that an entry was asked for: it becomes the newest.
    mutating func touch(_ slot: Int, at now: Instant) {
        slots[slot].entry?.lastAsked = now
        guard newest != slot else { return }
        unlink(slot)
        linkAsNewest(slot)
    }

    /// Puts an entry in as the newest; its key must not be in yet.
    mutating func insert(_ entry: Entry) -> Int {
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(Slot()) }
        let hash = UserIndex.hash(entry.key.user)
        if let first = first(of: entry.key.user) {
            slots[slot].nextOfUser = first
            index.replace(hash, first, with: slot)
        } else {
            index.insert(hash, slot)
        }
        bytes += entry.size
        count += 1
        slots[slot].entry = entry
        linkAsNewest(slot)
        return slot
    }

    /// Changes an entry where it stands; its place in the order stays.
    mutating func replace(_ slot: Int, with entry: Entry) {
        bytes += entry.size - (slots[slot].entry?.size ?? 0)
        slots[slot].entry = entry
    }

    /// Takes an entry out.
    @discardableResult
    mutating func remove(_ slot: Int) -> Entry? {
        guard let entry = self[slot] else { return nil }
        unlink(slot)
        unlinkFromUser(slot, entry.key.user)
        slots[slot] = Slot()
        free.append(slot)
        bytes -= entry.size
        count -= 1
        return entry
    }

    private func first(of user: UserKey) -> Int? {
        index.find(UserIndex.hash(user)) { slots[$0].entry?.key.user == user }
    }

    private mutating func linkAsNewest(_ slot: Int) {
        slots[slot].older = newest
        slots[slot].newer = Self.none
        if newest == Self.none { oldest = slot } else { slots[newest].newer = slot }
        newest = slot
    }

    private mutating func unlink(_ slot: Int) {
        let (newer, older) = (slots[slot].newer, slots[slot].older)
        if newer == Self.none { newest = older } else { slots[newer].older = older }
        if older == Self.none { oldest = newer } else { slots[older].newer = newer }
    }

    private mutating func unlinkFromUser(_ slot: Int, _ user: UserKey) {
        let next = slots[slot].nextOfUser
        guard var previous = first(of: user), previous != slot else {
            let hash = UserIndex.hash(user)
            if next == Self.none { index.remove(hash, slot) } else { index.replace(hash, slot, with: next) }
            return
        }
        while slots[previous].nextOfUser != slot { previous = slots[previous].nextOfUser }
        slots[previous].nextOfUser = next
    }
}
