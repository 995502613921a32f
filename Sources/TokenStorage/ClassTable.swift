import Glibc

/// Finds the record of a class by its texts.
///
/// It is a hash table that grows by one bucket for each class (linear hashing), so no insertion has to move everything.
/// The classes of a bucket are linked by their records. Hashes are seeded per process, so no app can choose scopes that
/// collide.
struct ClassTable {
    /// The first class of each bucket.
    private var buckets: ContiguousArray<UInt32> = [0]
    /// The number of classes.
    private(set) var count = 0

    /// Returns the hash of a class's texts.
    static func hash(_ texts: UnsafeRawBufferPointer) -> UInt32 {
        var hasher = Hasher()
        unsafe hasher.combine(bytes: texts)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// Returns the record with these texts.
    func find(_ hash: UInt32, _ texts: UnsafeRawBufferPointer, in records: TokenRecords) -> RecordID? {
        var next = buckets[bucket(of: hash)]
        while next != 0 {
            let id = RecordID(units: next)
            let record = records[class: id]
            if record.hash == hash, unsafe record.hasTexts(texts) { return id }
            next = record.next
        }
        return nil
    }

    /// Inserts a record, whose hash is set.
    mutating func insert(_ id: RecordID, in records: TokenRecords) {
        count += 1
        link(id, records[class: id])
        if buckets.count < count { split(in: records) }
    }

    /// Removes a record.
    mutating func remove(_ id: RecordID, in records: TokenRecords) {
        let record = records[class: id]
        let bucket = bucket(of: record.hash)
        count -= 1
        guard buckets[bucket] != id.units else {
            buckets[bucket] = record.next
            return
        }
        var previous = records[class: RecordID(units: buckets[bucket])]
        while previous.next != id.units { previous = records[class: RecordID(units: previous.next)] }
        previous.next = record.next
    }

    /// Returns the bucket of a hash.
    ///
    /// The buckets are numbered up to a power of two, of which the upper ones may not exist yet. Their classes are in
    /// the bucket without the highest bit.
    private func bucket(of hash: UInt32) -> Int {
        var width = 1
        while width < buckets.count { width <<= 1 }
        let bucket = Int(hash) & (width - 1)
        return bucket < buckets.count ? bucket : bucket & (width / 2 - 1)
    }

    private mutating func link(_ id: RecordID, _ record: ClassRecord) {
        let bucket = bucket(of: record.hash)
        record.next = buckets[bucket]
        buckets[bucket] = id.units
    }

    /// Adds a bucket, and moves the classes to it that belong there.
    private mutating func split(in records: TokenRecords) {
        var width = 1
        while width <= buckets.count { width <<= 1 }
        let source = buckets.count & (width / 2 - 1)
        var next = buckets[source]
        buckets[source] = 0
        buckets.append(0)
        while next != 0 {
            let (id, record) = (RecordID(units: next), records[class: RecordID(units: next)])
            next = record.next
            link(id, record)
        }
    }
}
