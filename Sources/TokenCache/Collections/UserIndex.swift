package import TokenProtocol

/// A hash table from users to slot numbers.
///
/// A dictionary needs an owned key for each look-up, so each hit would copy the user's name out of the request. This
/// table holds only numbers: it is searched with borrowed bytes, and its owner compares the keys. It uses open
/// addressing with linear probing. A removal closes its gap, so no tombstones remain. The table is divided into shards
/// that grow one by one, so that no insertion has to move everything.
package struct UserIndex {
    /// The number of hash bits that choose the shard.
    ///
    /// The other bits choose the bucket.
    private static let shardBits: UInt32 = 9

    /// The size of a user in bytes: a bucket of six bytes, in a table that is filled to five eighths on average.
    package static let size = 10

    private var shards = ContiguousArray(repeating: Shard(), count: 1 << Int(shardBits))

    /// Creates an empty index.
    package init() {}

    /// Returns the hash of a user, seeded per process, so that no one can choose user names that collide.
    package static func hash(_ tenant: TenantID, _ field: LookupField, _ value: borrowing Span<UInt8>) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(tenant.number)
        hasher.combine(field)
        unsafe value.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// Returns the hash of a user.
    package static func hash(_ user: UserKey) -> UInt32 { hash(user.tenant, user.user.field, user.user.value.span) }

    /// Returns the slot of the user for which a comparison holds.
    package func find(_ hash: UInt32, isUser: (Int) -> Bool) -> Int? {
        shards[Self.shard(of: hash)].find(hash, isUser: isUser)
    }

    /// Inserts the first slot of a user who has none yet.
    package mutating func insert(_ hash: UInt32, _ slot: Int) { shards[Self.shard(of: hash)].insert(hash, slot) }

    /// Replaces the slot of a user.
    package mutating func replace(_ hash: UInt32, _ old: Int, with new: Int) {
        shards[Self.shard(of: hash)].replace(hash, old, with: new)
    }

    /// Removes a user.
    package mutating func remove(_ hash: UInt32, _ slot: Int) { shards[Self.shard(of: hash)].remove(hash, slot) }

    private static func shard(of hash: UInt32) -> Int { Int(hash >> (32 - shardBits)) }
}

/// A part of the index: a hash table of its own.
private struct Shard {
    /// A bucket: a part of the hash, and the slot number plus one, or zero if it is empty.
    ///
    /// The number is in two parts, because four bytes in one would be padded to eight with the hash.
    private struct Bucket {
        let hash: UInt16
        private var low: UInt16
        private var high: UInt16

        init(hash: UInt16 = 0, mark: UInt32 = 0) {
            self.hash = hash
            low = UInt16(truncatingIfNeeded: mark)
            high = UInt16(truncatingIfNeeded: mark >> 16)
        }

        var mark: UInt32 {
            get { UInt32(high) << 16 | UInt32(low) }
            set { self = Bucket(hash: hash, mark: newValue) }
        }
    }

    /// The maximum load of a table.
    ///
    /// Beyond three quarters linear probing takes many steps.
    private static let maxLoad = (numerator: 3, denominator: 4)
    /// The growth of a table, after which its load is half.
    private static let growth = (numerator: 3, denominator: 2)
    private static let minBuckets = 8

    private var buckets: ContiguousArray<Bucket> = []
    private var count = 0

    /// The part of a hash that chooses the bucket.
    ///
    /// The highest bits have chosen the shard.
    private static func part(of hash: UInt32) -> UInt16 { UInt16(truncatingIfNeeded: hash) }

    func find(_ hash: UInt32, isUser: (Int) -> Bool) -> Int? {
        guard count > 0 else { return nil }
        let part = Self.part(of: hash)
        var index = home(of: part)
        while buckets[index].mark != 0 {
            let bucket = buckets[index]
            if bucket.hash == part, isUser(Int(bucket.mark) - 1) { return Int(bucket.mark) - 1 }
            index = next(index)
        }
        return nil
    }

    mutating func insert(_ hash: UInt32, _ slot: Int) {
        if (count + 1) * Self.maxLoad.denominator > buckets.count * Self.maxLoad.numerator { grow() }
        count += 1
        put(Bucket(hash: Self.part(of: hash), mark: UInt32(slot + 1)))
    }

    mutating func replace(_ hash: UInt32, _ old: Int, with new: Int) {
        guard let index = index(of: hash, old) else { return }
        buckets[index].mark = UInt32(new + 1)
    }

    mutating func remove(_ hash: UInt32, _ slot: Int) {
        guard var hole = index(of: hash, slot) else { return }
        count -= 1
        var index = next(hole)
        // An entry that could be in the gap is moved there, so that no search ends too early.
        while buckets[index].mark != 0 {
            let home = home(of: buckets[index].hash)
            if distance(home, index) >= distance(hole, index) {
                buckets[hole] = buckets[index]
                hole = index
            }
            index = next(index)
        }
        buckets[hole] = Bucket()
    }

    /// Returns the first bucket for a hash: the same part of the table as the hash is of all hashes.
    private func home(of hash: UInt16) -> Int { Int(hash) * buckets.count >> 16 }

    private func next(_ index: Int) -> Int { index + 1 == buckets.count ? 0 : index + 1 }

    private func distance(_ from: Int, _ to: Int) -> Int { to >= from ? to - from : to - from + buckets.count }

    private func index(of hash: UInt32, _ slot: Int) -> Int? {
        guard count > 0 else { return nil }
        var index = home(of: Self.part(of: hash))
        while buckets[index].mark != 0 {
            if buckets[index].mark == UInt32(slot + 1) { return index }
            index = next(index)
        }
        return nil
    }

    private mutating func put(_ bucket: Bucket) {
        var index = home(of: bucket.hash)
        while buckets[index].mark != 0 { index = next(index) }
        buckets[index] = bucket
    }

    private mutating func grow() {
        let old = buckets
        let larger = old.count * Self.growth.numerator / Self.growth.denominator
        buckets = ContiguousArray(repeating: Bucket(), count: max(Self.minBuckets, larger))
        for bucket in old where bucket.mark != 0 { put(bucket) }
    }
}
