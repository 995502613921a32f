import TokenProtocol
import TokenStorage

/// The numbered slots of entries, found by user.
///
/// Each has the number of a record and of the ``EntryGroups`` that its entry belongs to. The index finds slots by user, as
/// users mostly have one scope. Entries that a flush has dropped are found, too, until their slots are freed.
struct EntrySlots {
    /// A slot for an entry.
    ///
    /// It is reused after the entry is removed.
    struct Slot {
        /// The record, or none if the slot is free.
        var record = RecordID.none
        /// The number of its tenant and scopes.
        var group: UInt32 = 0
    }

    private let records: TokenRecords
    private var slots = SegmentedArray<Slot>()
    private var freeSlots = SegmentedArray<UInt32>()
    private var index = UserIndex()
    private(set) var groups = EntryGroups()

    init(_ records: TokenRecords) { self.records = records }

    /// The number of slots, used or free.
    var count: Int { slots.count }
    var indices: Range<Int> { slots.indices }

    subscript(slot: Int) -> Slot { slots[slot] }

    // MARK: Finding

    /// Returns the slot of a key's entry, looked up by the request's own bytes.
    func find(
        _ tenant: TenantID,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet
    ) -> Int? {
        let hash = UserIndex.hash(tenant, field, user)
        return unsafe user.withUnsafeBytes { bytes in
            index.find(hash) { slot in
                let record = records[slots[slot].record]
                return unsafe record.fieldNumber == field.rawValue && record.hasUser(bytes)
                    && groups.isGroup(slots[slot].group, tenant, scopes)
            }
        }
    }

    /// Returns the slots of a user.
    func find(allOf user: UserKey) -> [Int] {
        var found: [Int] = []
        _ = index.find(UserIndex.hash(user)) { slot in
            if isUser(slot, user.tenant, user.user.field, user.user.value.span) { found.append(slot) }
            return false
        }
        return found
    }

    /// True if the user of a record has a slot.
    ///
    /// - Parameter hash: The hash of the user.
    func hasUser(_ tenant: TenantID, _ record: TokenRecord, hash: UInt32) -> Bool {
        index.find(hash) { slot in
            let other = records[slots[slot].record]
            return unsafe other.fieldNumber == record.fieldNumber && other.hasUser(record.user)
                && groups.isGroup(slots[slot].group, of: tenant)
        } != nil
    }

    private func isUser(_ slot: Int, _ tenant: TenantID, _ field: LookupField, _ user: borrowing Span<UInt8>) -> Bool {
        let record = records[slots[slot].record]
        return record.fieldNumber == field.rawValue && groups.isGroup(slots[slot].group, of: tenant)
            && record.hasUser(user)
    }

    // MARK: Changing

    /// Adds an entry, and returns its slot.
    ///
    /// - Parameters:
    ///   - record: Its record.
    ///   - group: The number of its group, to which it belongs already.
    ///   - hash: The hash of its user.
    mutating func add(_ record: RecordID, _ group: UInt32, hash: UInt32) -> Int {
        let slot = newSlot()
        slots[slot] = Slot(record: record, group: group)
        index.insert(hash, slot)
        return slot
    }

    /// Gives an entry another record, and returns the old one.
    mutating func replace(_ slot: Int, with record: RecordID) -> RecordID {
        defer { slots[slot].record = record }
        return slots[slot].record
    }

    /// Frees the slot of an entry, whose record must still be there.
    mutating func free(_ slot: Int) {
        let group = slots[slot].group
        index.remove(hash(of: slot, at: groups.tenant(of: group)), slot)
        groups.leave(group)
        slots[slot] = Slot()
        freeSlots.append(UInt32(slot))
    }

    private mutating func newSlot() -> Int {
        guard !freeSlots.isEmpty else {
            slots.append(Slot())
            return slots.count - 1
        }
        let slot = Int(freeSlots[freeSlots.count - 1])
        freeSlots.removeLast()
        return slot
    }

    private func hash(of slot: Int, at tenant: TenantID) -> UInt32 {
        let record = records[slots[slot].record]
        // The number of a field that this version doesn't know is never that of an entry.
        guard let field = record.field else { return 0 }
        let user = unsafe Span<UInt8>(_unsafeBytes: record.user)
        return UserIndex.hash(tenant, field, user)
    }

    // MARK: Groups

    /// Returns the number of the group of one more entry.
    mutating func join(_ tenant: TenantID, _ scopes: ScopeSet) -> UInt32 { groups.join(tenant, scopes) }

    /// Adds one more entry to a group that has some.
    mutating func join(_ group: UInt32) { groups.join(group) }

    /// Ends a membership that no entry has taken.
    mutating func leave(_ group: UInt32) { groups.leave(group) }
}
