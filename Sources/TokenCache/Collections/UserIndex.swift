package import TokenProtocol

/// Leads from a user to the number of their first slot.
///
/// A dictionary wants a key of its own for every look-up, which for a hit means to copy the user's name out of the
/// request first. This table holds numbers only: it is asked with borrowed bytes, and its owner compares the keys. Open
/// addressing with linear probing; what is removed is closed up, so nothing gathers. The table is divided into shards
/// that grow one by one, so that no insertion has to move everything.
package struct UserIndex {
    /// A part of the hash chooses the shard, the rest the place in it.
    private static let shardBits: UInt32 = 9

    private var shards = ContiguousArray(repeating: Shard(), count: 1 << Int(shardBits))

    /// An empty index.
    package init() {}

    /// The hash of a user, with the process's own random seed: whoever chooses users' names can't choose collisions.
    package static func hash(_ tenant: TenantID, _ field: LookupField, _ value: borrowing Span<UInt8>) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(tenant.number)
        hasher.combine(field)
        unsafe value.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// The hash of a user.
    package static func hash(_ user: UserKey) -> UInt32 { hash(user.tenant, user.user.field, user.user.value.span) }

    /// The slot of the user for which a comparison holds.
    package func find(_ hash: UInt32, isUser: (Int) -> Bool) -> Int? {
        shards[Self.shard(of: hash)].find(hash, isUser: isUser)
    }

    /// Notes a user's first slot, who must have none yet.
    package mutating func insert(_ hash: UInt32, _ slot: Int) { shards[Self.shard(of: hash)].insert(hash, slot) }

    /// Leads a user to another slot.
    package mutating func replace(_ hash: UInt32, _ old: Int, with new: Int) {
        shards[Self.shard(of: hash)].replace(hash, old, with: new)
    }

    /// Forgets a user.
    package mutating func remove(_ hash: UInt32, _ slot: Int) { shards[Self.shard(of: hash)].remove(hash, slot) }

    private static func shard(of hash: UInt32) -> Int { Int(hash >> (32 - shardBits)) }
}

/// A part of the index: a table of its own.
private struct Shard {
    /// One place of the table: a part of the hash, and the slot's number plus one; zero is an empty place.
    private struct Place {
        var hash: UInt32 = 0
        var mark: UInt32 = 0
    }

    /// A table is at most three quarters full: beyond that linear probing takes many steps.
    private static let fullest = (numerator: 3, denominator: 4)
    private static let smallest = 8

    private var places: ContiguousArray<Place> = []
    private var count = 0

    func find(_ hash: UInt32, isUser: (Int) -> Bool) -> Int? {
        guard count > 0 else { return nil }
        var index = home(of: hash)
        while places[index].mark != 0 {
            let place = places[index]
            if place.hash == hash, isUser(Int(place.mark) - 1) { return Int(place.mark) - 1 }
            index = next(index)
        }
        return nil
    }

    mutating func insert(_ hash: UInt32, _ slot: Int) {
        if (count + 1) * Self.fullest.denominator > places.count * Self.fullest.numerator { grow() }
        count += 1
        put(Place(hash: hash, mark: UInt32(slot + 1)))
    }

    mutating func replace(_ hash: UInt32, _ old: Int, with new: Int) {
        guard let index = index(of: hash, old) else { return }
        places[index].mark = UInt32(new + 1)
    }

    mutating func remove(_ hash: UInt32, _ slot: Int) {
        guard var hole = index(of: hash, slot) else { return }
        count -= 1
        var index = next(hole)
        // Whatever could stand in the hole is moved there, so that no search ends too early.
        while places[index].mark != 0 {
            let home = home(of: places[index].hash)
            if distance(home, index) >= distance(hole, index) {
                places[hole] = places[index]
                hole = index
            }
            index = next(index)
        }
        places[hole] = Place()
    }

    private var mask: Int { places.count - 1 }

    private func home(of hash: UInt32) -> Int { Int(hash) & mask }

    private func next(_ index: Int) -> Int { (index + 1) & mask }

    private func distance(_ from: Int, _ to: Int) -> Int { (to - from) & mask }

    private func index(of hash: UInt32, _ slot: Int) -> Int? {
        guard count > 0 else { return nil }
        var index = home(of: hash)
        while places[index].mark != 0 {
            if places[index].mark == UInt32(slot + 1) { return index }
            index = next(index)
        }
        return nil
    }

    private mutating func put(_ place: Place) {
        var index = home(of: place.hash)
        while places[index].mark != 0 { index = next(index) }
        places[index] = place
    }

    private mutating func grow() {
        let old = places
        places = ContiguousArray(repeating: Place(), count: max(Self.smallest, old.count * 2))
        for place in old where place.mark != 0 { put(place) }
    }
}
