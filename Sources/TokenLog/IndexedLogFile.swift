import TokenCache

/// A file of the log, and the offset in it of each record.
///
/// The cache knows a persisted token by its record ID, which stays the same when the record moves to another file.
struct IndexedLogFile {
    private(set) var file: LogFile
    /// The offsets by record ID, or zero for a record that is not in this file.
    private var offsets: [Int] = []
    /// The number of records in this file.
    private var present = 0
    /// The records of an earlier daemon until they are restored, with the times at which their tokens were last used or
    /// received.
    private var found: [(offset: Int, time: Int64)] = []

    /// Creates an index of an empty file.
    init(empty file: LogFile) { self.file = file }

    /// Takes over an earlier daemon's file, or returns nil if it is no log file or has another version.
    init?(takingOver file: MemoryFile) {
        var found: [(offset: Int, time: Int64)] = []
        let taken = unsafe LogFile(file) { offset, content, lastUsed in
            unsafe found.append((offset, TokenRecord.time(content, lastUsed: lastUsed)))
        }
        guard let taken else { return nil }
        self.file = taken
        self.found = found
    }

    /// The number of record IDs that are known here.
    ///
    /// Records with higher IDs are not in this file.
    var count: Int { offsets.count }

    /// True if tokens may be served from the memory of this file.
    var serves: Bool { file.takenOverEnd > LogFile.headSize && present > 0 }

    /// Returns the size of a record, or nil if it is not in this file.
    func size(at recordID: Int) -> Int? { offset(at: recordID).map(file.size) }

    /// Restores an earlier daemon's records in the order of the tokens' last use, and drops those that aren't wanted.
    ///
    /// - Parameters:
    ///   - reader: The reader of the records.
    ///   - take: Takes a token under a record ID, and returns true if it is wanted.
    mutating func restore(
        _ reader: inout TokenRecord.Reader,
        to take: (_ recordID: Int, _ token: PersistedToken) -> Bool
    ) {
        found.sort { $0.time < $1.time }
        offsets.reserveCapacity(found.count)
        for (offset, _) in found {
            guard let token = reader.read(offset, of: file) else {
                file.drop(offset)
                continue
            }
            // A caller that drops a record must hold its token.
            withExtendedLifetime(token) {
                if take(offsets.count, token) { set(offset, at: offsets.count) } else { drop(at: offset) }
            }
        }
        found = []
    }

    /// Writes a record, or returns false if there is no space.
    mutating func put(_ record: TokenRecord, lastUsed: Int64, at recordID: Int) -> Bool {
        guard file.hasSpace(for: LogFile.recordSize(content: record.size)) else { return false }
        let offset = unsafe file.append(content: record.size, lastUsed: lastUsed) { unsafe record.write(to: $0) }
        set(offset, at: recordID)
        return true
    }

    /// Copies a record from another file.
    ///
    /// There must be space.
    mutating func copy(_ recordID: Int, from other: IndexedLogFile) {
        guard let offset = other.offset(at: recordID) else { return }
        set(file.append(copying: offset, of: other.file), at: recordID)
    }

    /// Drops a record, if it is in this file.
    mutating func drop(_ recordID: Int) {
        guard let offset = offset(at: recordID) else { return }
        drop(at: offset)
        offsets[recordID] = 0
        present -= 1
    }

    /// Drops all records.
    mutating func dropAll() {
        for recordID in offsets.indices { drop(recordID) }
    }

    /// Updates the time at which a record's token was last used.
    func note(_ recordID: Int, lastUsed: Int64) {
        if let offset = offset(at: recordID) { file.note(offset, lastUsed: lastUsed) }
    }

    private func drop(at offset: Int) {
        // The token of a restored record is served from the record's memory, perhaps beyond this moment.
        let isServed = offset < file.takenOverEnd
        file.drop(offset, overwriting: isServed ? unsafe TokenRecord.sizeBeforeToken(file.content(at: offset)) : nil)
    }

    private func offset(at recordID: Int) -> Int? {
        guard recordID < offsets.count, offsets[recordID] != 0 else { return nil }
        return offsets[recordID]
    }

    private mutating func set(_ offset: Int, at recordID: Int) {
        while offsets.count <= recordID { offsets.append(0) }
        offsets[recordID] = offset
        present += 1
    }
}
