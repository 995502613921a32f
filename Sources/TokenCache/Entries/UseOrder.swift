/// The order in which slots were used, by owner.
///
/// The owner is the uid that had an entry minted, until another uid requests it twice in a row. So an app that requests
/// all users once takes no entry from an app that uses it.
struct UseOrder {
    /// The position of a slot.
    ///
    /// It is a value of its own, so that a hit reads and writes it at once.
    private struct Rank {
        /// The time of the last use, as a count of all uses.
        var use: UInt64 = 0
        var newer = none
        var older = none
        var owner: Int32 = 0
        /// The uid of the last request if that was not the owner, else ``nobody``.
        var challenger = nobody
    }

    /// The change of a slot's owner from one number to another.
    struct OwnerChange {
        let old: Int32
        let new: Int32
    }

    /// The number of no slot.
    ///
    /// Slot numbers are kept in four bytes, as there may be ten million.
    private static let none: Int32 = -1
    /// In place of the newer slot: the slot was restored, and its position is not known yet.
    private static let unordered: Int32 = -2
    /// A uid that no process has (`chown(2)`).
    ///
    /// It owns the entries that nobody requested.
    static let nobody = PeerUID.max
    /// The count of uses at the start, below which restored slots have theirs.
    private static let firstUse: UInt64 = 1 << 40

    private var ranks = SegmentedArray<Rank>()
    private var owners: ContiguousArray<OwnerList> = []
    private var numbers: [PeerUID: Int32] = [:]
    /// The count of all uses.
    private(set) var uses = firstUse
    private var lowestRestored = firstUse
    /// The owner that was looked up last, which most likely is the next one, too.
    private var lastNumber: Int32 = 0
    /// The number of owners that have entries.
    private(set) var ownerCount = 0

    /// The size of a position in bytes.
    static var size: Int { MemoryLayout<Rank>.stride }

    // MARK: Owners

    /// The number of entries per uid.
    var countsByOwner: [PeerUID: Int] { numbers.mapValues { owners[Int($0)].count }.filter { $0.value > 0 } }

    /// Returns the number of a slot's owner.
    func owner(of slot: Int) -> Int32 { ranks[slot].owner }

    /// Returns the uid of an owner.
    func uid(of owner: Int32) -> PeerUID { owners[Int(owner)].uid }

    /// Changes the number of an owner's entries.
    mutating func changeCount(of owner: Int32, by difference: Int) {
        let old = owners[Int(owner)].count
        owners[Int(owner)].count += difference
        ownerCount += (old + difference > 0 ? 1 : 0) - (old > 0 ? 1 : 0)
    }

    /// Returns the number of a uid's list, reusing the list of a uid that has no slots left.
    private mutating func number(of peer: PeerUID) -> Int32 {
        let last = Int(lastNumber)
        if last < owners.count, owners[last].uid == peer, owners[last].members > 0 { return lastNumber }
        if let number = numbers[peer] {
            lastNumber = number
            return number
        }
        let list = OwnerList(uid: peer, newest: Self.none, oldest: Self.none)
        let unused = owners.count == numbers.count ? nil : owners.firstIndex { $0.members == 0 }
        if let unused { owners[unused] = list } else { owners.append(list) }
        let number = Int32(unused ?? owners.count - 1)
        numbers[peer] = number
        return number
    }

    private mutating func join(_ owner: Int32) { owners[Int(owner)].members += 1 }

    private mutating func leave(_ owner: Int32) {
        owners[Int(owner)].members -= 1
        if owners[Int(owner)].members == 0 { numbers[owners[Int(owner)].uid] = nil }
    }

    // MARK: Slots

    /// Returns the time of a slot's last use, as a count of all uses.
    func use(of slot: Int) -> UInt64 { ranks[slot].use }

    /// Adds a slot as the newest of a uid.
    mutating func add(_ slot: Int, of peer: PeerUID) {
        addUnordered(slot, of: peer)
        linkAsNewest(slot, ranks[slot])
    }

    /// Adds a slot of a uid that was used before all that were not restored.
    ///
    /// Its position follows by ``linkAsOldest(_:)``.
    mutating func addUnordered(_ slot: Int, of peer: PeerUID) {
        while ranks.count <= slot { ranks.append(Rank()) }
        var rank = Rank()
        rank.owner = number(of: peer)
        rank.newer = Self.unordered
        join(rank.owner)
        ranks[slot] = rank
    }

    /// Removes a slot.
    mutating func remove(_ slot: Int) {
        unlink(slot)
        leave(ranks[slot].owner)
        ranks[slot] = Rank()
    }

    /// Records a use of a slot by a uid.
    ///
    /// The slot becomes the newest of its owner.
    ///
    /// - Returns: The change of its owner, or nil if that is the same.
    mutating func touch(_ slot: Int, by peer: PeerUID) -> OwnerChange? {
        var rank = ranks[slot]
        let old = rank.owner
        if owners[Int(old)].uid == peer {
            rank.challenger = Self.nobody
            guard owners[Int(old)].newest != slot else {
                uses += 1
                rank.use = uses
                ranks[slot] = rank
                return nil
            }
        } else if rank.challenger == peer {
            rank.challenger = Self.nobody
            rank.owner = number(of: peer)
        } else {
            rank.challenger = peer
        }
        unlink(slot)
        if rank.owner != old {
            join(rank.owner)
            leave(old)
        }
        linkAsNewest(slot, rank)
        return rank.owner == old ? nil : OwnerChange(old: old, new: rank.owner)
    }

    // MARK: Order

    /// Gives a restored slot its position, behind all slots that have one, unless it has been used or removed.
    mutating func linkAsOldest(_ slot: Int) {
        guard slot < ranks.count, ranks[slot].newer == Self.unordered else { return }
        let owner = Int(ranks[slot].owner)
        let oldest = owners[owner].oldest
        lowestRestored -= 1
        ranks[slot].use = lowestRestored
        (ranks[slot].newer, ranks[slot].older) = (oldest, Self.none)
        if oldest == Self.none {
            owners[owner].newest = Int32(slot)
        } else {
            ranks[Int(oldest)].older = Int32(slot)
        }
        owners[owner].oldest = Int32(slot)
    }

    /// Returns the least recently used slot of all owners with more entries than a bound.
    func oldest(ofOwnersAbove bound: Int) -> Int? {
        var found: Int?
        for owner in owners where owner.count > bound && owner.oldest != Self.none {
            let slot = Int(owner.oldest)
            if ranks[slot].use < found.map({ ranks[$0].use }) ?? .max { found = slot }
        }
        return found
    }

    private mutating func linkAsNewest(_ slot: Int, _ old: Rank) {
        var rank = old
        let owner = Int(rank.owner)
        let newest = owners[owner].newest
        uses += 1
        (rank.use, rank.newer, rank.older) = (uses, Self.none, newest)
        ranks[slot] = rank
        if newest == Self.none {
            owners[owner].oldest = Int32(slot)
        } else {
            ranks[Int(newest)].newer = Int32(slot)
        }
        owners[owner].newest = Int32(slot)
    }

    private mutating func unlink(_ slot: Int) {
        let rank = ranks[slot]
        guard rank.newer != Self.unordered else { return }
        let owner = Int(rank.owner)
        if rank.newer == Self.none {
            owners[owner].newest = rank.older
        } else {
            ranks[Int(rank.newer)].older = rank.older
        }
        if rank.older == Self.none {
            owners[owner].oldest = rank.newer
        } else {
            ranks[Int(rank.older)].newer = rank.newer
        }
    }
}
