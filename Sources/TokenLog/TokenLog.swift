package import Secrets
package import TokenCache

// TokenLog: the tokens, stored where the next daemon finds them.
//
// Purpose: a restart that loses the tokens costs a mint for every user, at a tenant that allows a hundred calls per
// minute. The tokens must not be written to a disk. So they are written into a file that exists only in memory, and the
// service manager holds its descriptor while no daemon runs.
//
// Promises: at every moment one file has every token that was served, unless the manager is so slow to take a file that
// the previous one is full. Dropped tokens are gone from the file. A file that can't be read counts as empty.
//
// Parts: ``TokenLog`` moves between files. ``IndexedLogFile`` finds the records of a file, ``LogFile`` has the layout
// of a file, ``TokenRecord`` the layout of a record, and ``MemoryFile`` the memory.

/// The log of the cached tokens.
package final class TokenLog: TokenStore {
    /// A file and the name under which the manager stores it.
    package struct StoredFile: Sendable {
        /// The name, one of ``names``.
        package let name: String
        /// The name of the file that it replaces, or nil if there was none.
        package let predecessor: String?
        /// The number of the file.
        ///
        /// The latest file has the highest.
        package let generation: UInt64
        private let file: MemoryFile

        init(_ file: LogFile, name: String, predecessor: String?) {
            self.name = name
            self.predecessor = predecessor
            self.file = file.file
            generation = file.generation
        }

        /// True if it can't be swapped while the daemon lives.
        package var isLocked: Bool { file.isLocked }

        /// The descriptor, open while this value exists.
        package var descriptor: CInt { file.descriptor }
    }

    /// The names of the files.
    ///
    /// A new file gets the other name, so that both files exist for a moment.
    package static let names = ["tokens-a", "tokens-b"]
    /// The minimum size of a file.
    ///
    /// A new file is twice as large as its content.
    private static let minSize = 1_024 * 1_024
    /// The free share of a file below which its records move to another one.
    private static let reserve = 1.0 / 8
    /// The live share of a file below which its records move to a smaller one.
    private static let minLiveShare = 1.0 / 8
    /// The number of bytes that are moved per byte of a new token.
    ///
    /// So a file has moved when half of the reserve is used up.
    private static let pace = 16
    /// The minimum number of bytes that are moved per new token, which takes some microseconds.
    private static let minMoved = 32 * 1_024

    /// The move of all records to another file.
    ///
    /// Both files are written until it is complete and the manager has the new one.
    private struct Move {
        var records: IndexedLogFile
        let name: String
        /// The number of record IDs, from zero, whose records have been moved.
        var moved = 0
        /// True if all records have been moved and the file has been passed on to be stored.
        var isComplete = false
    }

    private let clock = BootClock()
    private let memory: SecretMemory?
    private let store: (StoredFile) -> Void
    private let onShortage: () -> Void
    private var isShort = false
    private var name: String
    private var records: IndexedLogFile
    private var move: Move?
    /// The restored file after its records have moved, as long as tokens are served from it.
    private var served: IndexedLogFile?
    /// Record IDs that can be reused.
    private var freeRecordIDs: [Int] = []
    /// The number of record IDs so far.
    private var recordIDCount = 0
    /// The size of the live records in bytes.
    private var live = 0

    /// Takes over the latest file of an earlier daemon, or creates one.
    ///
    /// Returns nil if there is no memory.
    ///
    /// - Parameters:
    ///   - stored: The inherited descriptors by their names. This object owns them from here on.
    ///   - memory: The source of the memory for tokens.
    ///   - size: The expected number of bytes of records.
    ///   - onShortage: Called when the log runs out of memory for tokens.
    ///   - store: Stores a file, replacing another of the same name, and then removes its predecessor. Then it calls
    ///     ``stored(_:)``, but not before it returns. It is called for one file after another and must not block.
    package init?(
        stored: [(name: String, descriptor: CInt)],
        in memory: SecretMemory?,
        expecting size: Int = 0,
        onShortage: @escaping () -> Void = {},
        store: @escaping (StoredFile) -> Void
    ) {
        self.memory = memory
        self.onShortage = onShortage
        self.store = store
        var latest: (name: String, records: IndexedLogFile)?
        for (name, descriptor) in stored {
            guard let file = MemoryFile(takingOver: descriptor), Self.names.contains(name),
                let records = IndexedLogFile(takingOver: file),
                records.file.generation > latest?.records.file.generation ?? 0
            else { continue }
            latest = (name, records)
        }
        if let latest {
            (name, records) = latest
        } else {
            guard let file = LogFile(size: max(Self.minSize, 2 * size), generation: 1) else { return nil }
            name = Self.names[0]
            records = IndexedLogFile(empty: file)
            store(StoredFile(file, name: name, predecessor: nil))
        }
    }

    /// The name of the current file.
    package var currentName: String { name }

    /// True if the current file can't be swapped while the daemon lives.
    package var isLocked: Bool { records.file.file.isLocked }

    /// Passes on every token that the file holds, and drops those that can't be read.
    package func restore(to take: (_ recordID: Int, _ token: PersistedToken) -> Bool) {
        var reader = TokenRecord.Reader(clock, in: memory)
        records.restore(&reader, to: take)
        recordIDCount = records.count
        live = (0..<recordIDCount).reduce(0) { $0 + (records.size(at: $1) ?? 0) }
    }

    /// Persists a token and returns its record ID, or nil if there is no space.
    package func persist(_ token: PersistedToken) -> Int? {
        let record = TokenRecord(token, clock)
        let size = LogFile.recordSize(content: record.size)
        beginMove(before: size)
        let recordID = freeRecordIDs.popLast() ?? recordIDCount
        guard put(record, lastUsed: token.lastUsed.map(clock.nanoseconds) ?? LogFile.never, at: recordID) else {
            if recordID < recordIDCount { freeRecordIDs.append(recordID) }
            if !isShort { onShortage() }
            isShort = true
            return nil
        }
        recordIDCount = max(recordIDCount, recordID + 1)
        live += size
        // If the file is full, the other one is needed at once.
        goOnMoving(records.file.hasSpace(for: size) ? max(Self.minMoved, Self.pace * size) : .max)
        return recordID
    }

    /// Drops a token, which the caller must still hold.
    package func remove(_ recordID: Int) {
        live -= records.size(at: recordID) ?? move?.records.size(at: recordID) ?? 0
        records.drop(recordID)
        move?.records.drop(recordID)
        served?.drop(recordID)
        if served?.serves == false { served = nil }
        freeRecordIDs.append(recordID)
    }

    /// Drops all tokens, which the caller must still hold.
    package func end() {
        records.dropAll()
        move?.records.dropAll()
        served?.dropAll()
    }

    /// Updates the time at which a token was last used.
    package func note(_ recordID: Int, lastUsed: Instant) {
        let time = clock.nanoseconds(of: lastUsed)
        records.note(recordID, lastUsed: time)
        move?.records.note(recordID, lastUsed: time)
    }

    /// Handles the confirmation that a file is stored and its predecessor removed.
    ///
    /// It is the current file from here on.
    package func stored(_ generation: UInt64) -> Bool {
        guard let move, move.isComplete, move.records.file.generation == generation else { return false }
        if records.serves { served = records }
        (name, records) = (move.name, move.records)
        self.move = nil
        defer { isShort = false }
        return isShort
    }

    /// Writes a record to each file that needs it, or returns false if there is no space.
    private func put(_ record: TokenRecord, lastUsed: Int64, at recordID: Int) -> Bool {
        let isHere = records.put(record, lastUsed: lastUsed, at: recordID)
        // A record that is still to be moved is copied when it is its turn.
        let belongsThere = move.map { $0.isComplete || recordID < $0.moved || !isHere } ?? false
        guard belongsThere else { return isHere }
        guard move?.records.put(record, lastUsed: lastUsed, at: recordID) == true else {
            records.drop(recordID)
            return false
        }
        return true
    }

    /// Starts a move if the file fills up, or is much larger than its content.
    ///
    /// The next file has space for all: while `live` bytes move, at the ``pace``, less than a tenth of that is added.
    private func beginMove(before size: Int) {
        let reserve = max(size, Int(Double(records.file.size) * Self.reserve))
        let written = records.file.end
        let isWasteful = written > Self.minSize && Double(live) < Double(written) * Self.minLiveShare
        guard move == nil, isWasteful || !records.file.hasSpace(for: reserve) else { return }
        let file = LogFile(
            size: max(Self.minSize, LogFile.headSize + 2 * (live + size)),
            generation: records.file.generation + 1
        )
        guard let file else { return }
        move = Move(records: IndexedLogFile(empty: file), name: Self.names[0] == name ? Self.names[1] : Self.names[0])
    }

    /// Moves a number of bytes of records, or a little more.
    private func goOnMoving(_ count: Int) {
        guard var move, !move.isComplete else { return }
        // The only reference to its offsets, or each change would copy them.
        self.move = nil
        var left = count
        while left > 0, move.moved < recordIDCount {
            if let size = records.size(at: move.moved), move.records.size(at: move.moved) == nil {
                move.records.copy(move.moved, from: records)
                left -= size
            }
            move.moved += 1
        }
        move.isComplete = move.moved == recordIDCount
        self.move = move
        if move.isComplete { store(StoredFile(move.records.file, name: move.name, predecessor: name)) }
    }
}
