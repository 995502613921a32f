package import Secrets
package import TokenCache

// TokenLog: the tokens, where the next daemon finds them.
//
// Why it exists: a restart that loses the tokens costs a mint for every user, at a tenant that allows a hundred a minute.
// They must not touch a disk. So they are written into a file that is memory alone, whose descriptor the service manager
// holds while no daemon runs. The log promises that at every moment there is one file with every token that was answered,
// that what was dropped is gone from it, and that a file which it can't read is an empty one.

/// The log of the tokens that are cached.
package final class TokenLog: TokenKeeper {
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

        /// Its descriptor, open while this value is there.
        package var descriptor: CInt { file.descriptor }
    }

    /// The names of the files; each new one takes the other's, so that both are there for a moment.
    package static let names = ["tokens-a", "tokens-b"]
    /// Files are twice as large as what is in them when they are begun, and no smaller than this.
    private static let leastSize = 1_024 * 1_024

    private let clock = BootClock()
    private let memory: SecretMemory?
    private let store: (StoredFile) -> Void
    private let onShortage: () -> Void
    private var isShort = false
    private var name: String
    private var file: LogFile
    /// Where in the file each place's record is; zero: the place is free.
    private var offsets: [Int] = []
    private var free: [Int] = []
    /// The bytes of the live records.
    private var live = 0
    /// Earlier files that may be stored still: what is dropped is dropped in them, too.
    private var earlier: [(file: LogFile, offsets: [Int])] = []

    /// Takes over the latest of the files that an earlier daemon has stored, or begins one; nil where there is no memory
    /// for it.
    ///
    /// - Parameters:
    ///   - stored: The descriptors that were handed over, by their names; they are this object's from here on.
    ///   - memory: What the tokens' own memory is taken from.
    ///   - onShortage: Is told the first time that there is no memory for a token.
    ///   - store: Has a file stored and then its predecessor removed, one call after another; it must not wait.
    package init?(
        stored: [(name: String, descriptor: CInt)],
        in memory: SecretMemory?,
        onShortage: @escaping () -> Void = {},
        store: @escaping (StoredFile) -> Void
    ) {
        self.memory = memory
        self.onShortage = onShortage
        self.store = store
        var latest: (name: String, file: LogFile)?
        for (name, descriptor) in stored {
            guard Self.names.contains(name), let file = MemoryFile(takingOver: descriptor).flatMap(LogFile.init),
                file.generation > latest?.file.generation ?? 0
            else { continue }
            latest = (name, file)
        }
        if let latest {
            (name, file) = latest
        } else {
            guard let file = LogFile(size: Self.leastSize, generation: 1) else { return nil }
            (name, self.file) = (Self.names[0], file)
            store(StoredFile(file, name: name, predecessor: nil))
        }
    }

    /// The name of the file that is written.
    package var currentName: String { name }

    /// Hands over every token that the file holds; those that can't be read are dropped.
    package func handOver(to take: (_ place: Int, _ token: KeptToken) -> Bool) {
        var reader = TokenRecord.Reader(clock, in: memory)
        var found: [(order: Int64, offset: Int)] = []
        for offset in file.takeFound() {
            if let order = unsafe TokenRecord.order(file.content(at: offset), lastAsked: file.lastAsked(at: offset)) {
                found.append((order, offset))
            } else {
                file.drop(offset)
            }
        }
        found.sort { $0.order < $1.order }
        for (_, offset) in found {
            let token = unsafe reader.read(file.content(at: offset), lastAsked: file.lastAsked(at: offset))
            let place = offsets.count
            guard let token, take(place, token) else {
                file.drop(offset)
                continue
            }
            live += file.size(at: offset)
            offsets.append(offset)
        }
    }

    /// Keeps a token.
    package func keep(_ token: KeptToken) -> Int? {
        let record = TokenRecord(token, clock)
        let size = LogFile.recordSize(content: record.size)
        guard file.hasRoom(for: size) || moveToLargerFile(for: size) else {
            if !isShort { onShortage() }
            isShort = true
            return nil
        }
        let lastAsked = token.lastAsked.map(clock.nanoseconds) ?? LogFile.never
        let offset = unsafe file.append(content: record.size, lastAsked: lastAsked) { unsafe record.write(to: $0) }
        live += size
        guard let place = free.popLast() else {
            offsets.append(offset)
            return offsets.count - 1
        }
        offsets[place] = offset
        return place
    }

    /// Drops a token.
    package func drop(_ place: Int) {
        live -= file.size(at: offsets[place])
        file.drop(offsets[place])
        for (file, offsets) in earlier where place < offsets.count && offsets[place] != 0 { file.drop(offsets[place]) }
        offsets[place] = 0
        free.append(place)
    }

    /// Notes a token's use.
    package func note(_ place: Int, lastAsked: Instant) {
        file.note(offsets[place], lastAsked: clock.nanoseconds(of: lastAsked))
    }

    /// A file is stored, and none before it is any more.
    package func stored(_ generation: UInt64) { earlier.removeAll { $0.file.generation < generation } }

    /// Copies what is live into another file, which is stored when all of it is there.
    private func moveToLargerFile(for size: Int) -> Bool {
        let next = LogFile(
            size: max(Self.leastSize, LogFile.headSize + 2 * (live + size)),
            generation: file.generation + 1
        )
        guard var next else { return false }
        earlier.append((file, offsets))
        for place in offsets.indices where offsets[place] != 0 {
            offsets[place] = next.append(copying: offsets[place], of: file)
        }
        let predecessor = name
        name = Self.names[0] == predecessor ? Self.names[1] : Self.names[0]
        file = next
        store(StoredFile(next, name: name, predecessor: predecessor))
        return true
    }
}
