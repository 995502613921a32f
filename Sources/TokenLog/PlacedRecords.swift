import TokenCache

/// A file of the log, and where in it the record of each place is.
///
/// A place is what the cache knows a kept token by; it stays when the token's record moves to another file.
struct PlacedRecords {
    private(set) var file: LogFile
    /// By place; zero: there is none of it here.
    private var offsets: [Int] = []
    /// How many places have a record here.
    private var present = 0
    /// Where the records are that were there when the file was taken over, until they are handed over, and when their
    /// tokens were last asked for or came.
    private var found: [(offset: Int, time: Int64)] = []

    /// A file without records.
    init(empty file: LogFile) { self.file = file }

    /// An earlier daemon's file, whose records have no places yet; nil where it is none, or another version's.
    init?(takingOver file: MemoryFile) {
        var found: [(offset: Int, time: Int64)] = []
        let taken = unsafe LogFile(file) { offset, content, lastAsked in
            unsafe found.append((offset, TokenRecord.time(content, lastAsked: lastAsked)))
        }
        guard let taken else { return nil }
        self.file = taken
        self.found = found
    }

    /// How many places are known; the records of those behind them are not here.
    var count: Int { offsets.count }

    /// Whether tokens may be served from where they lie in this file.
    var serves: Bool { file.takenOverEnd > LogFile.headSize && present > 0 }

    /// The size of a place's record; nil: it isn't here.
    func size(at place: Int) -> Int? { offset(at: place).map(file.size) }

    /// Gives the records that were there when the file was taken over their places, in the order of the tokens' last use,
    /// where they are wanted; what isn't wanted is dropped.
    ///
    /// - Parameters:
    ///   - reader: Reads them.
    ///   - take: Whether a token is wanted.
    mutating func handOver(_ reader: inout TokenRecord.Reader, to take: (_ place: Int, _ token: PersistedToken) -> Bool)
    {
        found.sort { $0.time < $1.time }
        offsets.reserveCapacity(found.count)
        for (offset, _) in found {
            guard let token = reader.read(offset, of: file) else {
                file.drop(offset)
                continue
            }
            // Whoever drops a record must have its token.
            withExtendedLifetime(token) {
                if take(offsets.count, token) { set(offset, at: offsets.count) } else { drop(at: offset) }
            }
        }
        found = []
    }

    /// Writes a place's record; false: there is no room.
    mutating func put(_ record: TokenRecord, lastAsked: Int64, at place: Int) -> Bool {
        guard file.hasRoom(for: LogFile.recordSize(content: record.size)) else { return false }
        let offset = unsafe file.append(content: record.size, lastAsked: lastAsked) { unsafe record.write(to: $0) }
        set(offset, at: place)
        return true
    }

    /// Copies a place's record from another file; there must be room.
    mutating func copy(_ place: Int, from other: PlacedRecords) {
        guard let offset = other.offset(at: place) else { return }
        set(file.append(copying: offset, of: other.file), at: place)
    }

    /// Drops a place's record, if it is here.
    mutating func drop(_ place: Int) {
        guard let offset = offset(at: place) else { return }
        drop(at: offset)
        offsets[place] = 0
        present -= 1
    }

    /// Drops all.
    mutating func dropAll() {
        for place in offsets.indices { drop(place) }
    }

    /// Notes when a place's token was last asked for.
    func note(_ place: Int, lastAsked: Int64) {
        if let offset = offset(at: place) { file.note(offset, lastAsked: lastAsked) }
    }

    private func drop(at offset: Int) {
        // The token of a record that was taken over is served from where it lies, maybe longer than to this moment.
        let isServed = offset < file.takenOverEnd
        file.drop(offset, overwriting: isServed ? unsafe TokenRecord.sizeBeforeToken(file.content(at: offset)) : nil)
    }

    private func offset(at place: Int) -> Int? {
        guard place < offsets.count, offsets[place] != 0 else { return nil }
        return offsets[place]
    }

    private mutating func set(_ offset: Int, at place: Int) {
        while offsets.count <= place { offsets.append(0) }
        offsets[place] = offset
        present += 1
    }
}
