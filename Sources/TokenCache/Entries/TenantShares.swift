import BitCollections

/// The entries of each tenant: their slots, their number and size, and how many each owner has.
struct TenantShares {
    private struct Share {
        var count = 0
        var bytes = 0
        /// Its slots, including those of flushed entries that have not been swept.
        var slots = BitSet()
        /// The number of entries per owner, by the owner's number.
        var counts: [Int32: Int] = [:]

        mutating func insert(_ slot: Int, size: Int, owner: Int32) {
            slots.insert(slot)
            add(1, size: size, owner: owner)
        }

        mutating func add(_ sign: Int, size: Int, owner: Int32) {
            count += sign
            bytes += sign * size
            counts[owner, default: 0] += sign
        }
    }

    private var shares: [TenantID: Share] = [:]
    /// The number of all entries.
    private(set) var count = 0
    /// The size of all entries in bytes.
    private(set) var bytes = 0

    /// Returns the slots of a tenant from one on, including those of flushed entries that have not been swept.
    func slots(of tenant: TenantID, from start: Int) -> some Sequence<Int> {
        (shares[tenant]?.slots ?? [])[members: start...]
    }

    /// Adds an entry.
    mutating func insert(_ slot: Int, of tenant: TenantID, size: Int, owner: Int32) {
        count += 1
        bytes += size
        shares[tenant, default: Share()].insert(slot, size: size, owner: owner)
    }

    /// Counts an entry, or no longer counts it.
    ///
    /// - Parameter sign: 1 or -1.
    mutating func account(_ sign: Int, of tenant: TenantID, size: Int, owner: Int32) {
        count += sign
        bytes += sign * size
        shares[tenant]?.add(sign, size: size, owner: owner)
    }

    /// Removes the slot of an entry that is no longer counted.
    mutating func free(_ slot: Int, of tenant: TenantID) { shares[tenant]?.slots.remove(slot) }

    /// Counts an entry for another owner.
    mutating func move(of tenant: TenantID, _ change: UseOrder.OwnerChange) {
        shares[tenant]?.counts[change.old, default: 0] -= 1
        shares[tenant]?.counts[change.new, default: 0] += 1
    }

    /// No longer counts a tenant's entries.
    ///
    /// - Returns: Their number, in all and per owner.
    mutating func flush(_ tenant: TenantID) -> (count: Int, counts: [Int32: Int]) {
        guard let share = shares[tenant] else { return (0, [:]) }
        count -= share.count
        bytes -= share.bytes
        shares[tenant] = Share(slots: share.slots)
        return (share.count, share.counts)
    }

    /// Forgets a tenant that has no entries left after a flush.
    mutating func endFlush(of tenant: TenantID) {
        if shares[tenant]?.count == 0 { shares[tenant] = nil }
    }
}
