package import Secrets
package import TokenCache

// TokenLog: the tokens, where the next daemon finds them.
//
// Why it exists: a restart that loses the tokens costs a mint for every user, at a tenant that allows a hundred a minute.
// They must not touch a disk. So they are written into a file that is memory alone, whose descriptor the service manager
// holds while no daemon runs. The log promises that at every moment there is one file with every token that was answered
// (but for a manager who is so slow to take a file that the one before it is full), that what was dropped is gone from it,
// and that a file which it can't read is an empty one.

/// The log of the tokens that are cached.
package final class TokenLog: TokenStore {
    /// A file and the name under which it is stored.
    package struct StoredFile: Sendable {
        /// One of ``names``.
        package let name: String
        /// The name of the file in whose place it comes; nil: there was none.
        package let predecessor: String?
        /// Which of the files it is.
        package let generation: UInt64
        private let file: MemoryFile

        init(_ file: LogFile, name: String, predecessor: String?) {
            self.name = name
            self.predecessor = predecessor
            self.file = file.file
            generation = file.generation
        }

        /// Whether it can't be swapped while the daemon lives.
        package var isLocked: Bool { file.isLocked }

        /// Its descriptor, open while this value is there.
        package var descriptor: CInt { file.descriptor }
    }

    /// The names of the files; each new one takes the other's, so that both are there for a moment.
    package static let names = ["tokens-a", "tokens-b"]
    /// Files are twice as large as what is in them when they are begun, and no smaller than this.
    private static let leastSize = 1_024 * 1_024
    /// When less than this share of a file is free, its records begin to move to another one.
    private static let reserve = 1.0 / 8
    /// When less than this share of what was written to a file is live, its records move to a smaller one.
    private static let leastLive = 1.0 / 8
    /// With each token that comes so many times its size is moved: all of a file is, when half of the reserve is used up.
    private static let pace = 16
    /// So many bytes are moved with each token at least; it takes some microseconds.
    private static let leastMoved = 32 * 1_024

    /// The way of all records to another file; until they are there and the manager has it, both are written.
    private struct Move {
        var records: PlacedRecords
        let name: String
        /// The records of the places before this one are there.
        var moved = 0
        /// Whether all of them are, and the manager has been told.
        var isComplete = false
    }

    private let clock = BootClock()
    private let memory: SecretMemory?
    private let store: (StoredFile) -> Void
    private let onShortage: () -> Void
    private var isShort = false
    private var name: String
    private var records: PlacedRecords
    private var move: Move?
    /// The file that was taken over, when it isn't written any more, as long as tokens are served from it.
    private var served: PlacedRecords?
    /// Places that were given and are free again.
    private var free: [Int] = []
    /// How many places were given.
    private var places = 0
    /// The bytes of the live records.
    private var live = 0

    /// Takes over the latest of the files that an earlier daemon has stored, or begins one; nil where there is no memory
    /// for it.
    ///
    /// - Parameters:
    ///   - stored: The descriptors that were handed over, by their names; they are this object's from here on.
    ///   - memory: What the tokens' own memory is taken from.
    ///   - size: So many bytes of records are about to come.
    ///   - onShortage: Is told when there begins to be no memory for tokens.
    ///   - store: Has a file stored, in place of whatever has its name, and then its predecessor removed; then it calls
    ///     ``stored(_:)``, but not before it returns. It is called for one file after another and must not wait.
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
        var latest: (name: String, records: PlacedRecords)?
        for (name, descriptor) in stored {
            guard let file = MemoryFile(takingOver: descriptor), Self.names.contains(name),
                let records = PlacedRecords(takingOver: file),
                records.file.generation > latest?.records.file.generation ?? 0
            else { continue }
            latest = (name, records)
        }
        if let latest {
            (name, records) = latest
        } else {
            guard let file = LogFile(size: max(Self.leastSize, 2 * size), generation: 1) else { return nil }
            name = Self.names[0]
            records = PlacedRecords(empty: file)
            store(StoredFile(file, name: name, predecessor: nil))
        }
    }

    /// The name of the file that is written.
    package var currentName: String { name }

    /// Whether that file can't be swapped while the daemon lives.
    package var isLocked: Bool { records.file.file.isLocked }

    /// Hands over every token that the file holds; those that can't be read are dropped.
    package func restore(to take: (_ recordID: Int, _ token: PersistedToken) -> Bool) {
        var reader = TokenRecord.Reader(clock, in: memory)
        records.handOver(&reader, to: take)
        places = records.count
        live = (0..<places).reduce(0) { $0 + (records.size(at: $1) ?? 0) }
    }

    /// Keeps a token.
    package func persist(_ token: PersistedToken) -> Int? {
        let record = TokenRecord(token, clock)
        let size = LogFile.recordSize(content: record.size)
        beginMove(before: size)
        let place = free.popLast() ?? places
        guard put(record, lastAsked: token.lastAsked.map(clock.nanoseconds) ?? LogFile.never, at: place) else {
            if place < places { free.append(place) }
            if !isShort { onShortage() }
            isShort = true
            return nil
        }
        places = max(places, place + 1)
        live += size
        // A file that has no room left can't wait for the other one.
        goOnMoving(records.file.hasRoom(for: size) ? max(Self.leastMoved, Self.pace * size) : .max)
        return place
    }

    /// Drops a token, which the caller must still have.
    package func remove(_ place: Int) {
        live -= records.size(at: place) ?? move?.records.size(at: place) ?? 0
        records.drop(place)
        move?.records.drop(place)
        served?.drop(place)
        if served?.serves == false { served = nil }
        free.append(place)
    }

    /// Drops all tokens, which the caller must still have.
    package func end() {
        records.dropAll()
        move?.records.dropAll()
        served?.dropAll()
    }

    /// Notes a token's use.
    package func note(_ place: Int, lastAsked: Instant) {
        let time = clock.nanoseconds(of: lastAsked)
        records.note(place, lastAsked: time)
        move?.records.note(place, lastAsked: time)
    }

    /// A file is stored, and none before it is any more: it is the one that is written from here on.
    package func stored(_ generation: UInt64) -> Bool {
        guard let move, move.isComplete, move.records.file.generation == generation else { return false }
        if records.serves { served = records }
        (name, records) = (move.name, move.records)
        self.move = nil
        defer { isShort = false }
        return isShort
    }

    /// Writes a record where it has to be; false: there is no room, and it is nowhere.
    private func put(_ record: TokenRecord, lastAsked: Int64, at place: Int) -> Bool {
        let isHere = records.put(record, lastAsked: lastAsked, at: place)
        // Of a place that is still to be moved the record is copied when it is its turn.
        let belongsThere = move.map { $0.isComplete || place < $0.moved || !isHere } ?? false
        guard belongsThere else { return isHere }
        guard move?.records.put(record, lastAsked: lastAsked, at: place) == true else {
            records.drop(place)
            return false
        }
        return true
    }

    /// Begins to move where the file fills up, or is much larger than what is in it.
    ///
    /// The next file can hold all: while `live` bytes move, at the ``pace``, less than a tenth of that comes in addition.
    private func beginMove(before size: Int) {
        let reserve = max(size, Int(Double(records.file.size) * Self.reserve))
        let written = records.file.end
        let isWasteful = written > Self.leastSize && Double(live) < Double(written) * Self.leastLive
        guard move == nil, isWasteful || !records.file.hasRoom(for: reserve) else { return }
        let file = LogFile(
            size: max(Self.leastSize, LogFile.headSize + 2 * (live + size)),
            generation: records.file.generation + 1
        )
        guard let file else { return }
        move = Move(records: PlacedRecords(empty: file), name: Self.names[0] == name ? Self.names[1] : Self.names[0])
    }

    /// Moves so many bytes of records, or a little more.
    private func goOnMoving(_ count: Int) {
        guard var move, !move.isComplete else { return }
        // The only reference to its places, or each change would copy them.
        self.move = nil
        var left = count
        while left > 0, move.moved < places {
            if let size = records.size(at: move.moved), move.records.size(at: move.moved) == nil {
                move.records.copy(move.moved, from: records)
                left -= size
            }
            move.moved += 1
        }
        move.isComplete = move.moved == places
        self.move = move
        if move.isComplete { store(StoredFile(move.records.file, name: move.name, predecessor: name)) }
    }
}
