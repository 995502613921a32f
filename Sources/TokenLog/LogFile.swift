import Glibc
import Synchronization

/// One file of the log: a head, then records one behind the other, then zeros.
///
/// A record's length is written last and its state first, so a daemon that is killed in mid-write leaves what is no record,
/// but can be told from the zeros behind the last one; a checksum tells whatever else went wrong.
///
///     head    0 magic · 8 version · 16 generation · 24 check of these · 32 zeros up to 64
///     record  0 length with the head, a multiple of 8 · 4 state · 8 last asked · 16 check of the content · 24 content
@safe struct LogFile {
    static let headSize = 64
    static let recordHeadSize = 24
    /// Of the layout and of the content of records: another one is another program's.
    static let version: UInt64 = 1
    /// "tokenlog" as a number.
    private static let magic: UInt64 = 0x676f_6c6e_656b_6f74
    /// No time: nobody asked.
    static let never = Int64.min

    private enum State {
        static let live: UInt32 = 1
        /// Not a token any more, but its bytes may still be there.
        static let dropped: UInt32 = 2
        static let overwritten: UInt32 = 3
    }

    /// The token of a record that was taken over, served from where it lies; it goes when the last one lets go of it after
    /// the record was dropped.
    ///
    /// Whoever drops the record has the token then, so that this can't have gone before; a daemon that ends without dropping
    /// leaves the token to the next.
    final class ServedToken: Sendable {
        private let file: MemoryFile
        private let record: Int
        private let token: Range<Int>

        fileprivate init(_ file: MemoryFile, record: Int, token: Range<Int>) {
            (self.file, self.record, self.token) = (file, record, token)
        }

        deinit {
            guard unsafe file.bytes.load(fromByteOffset: record + 4, as: UInt32.self) == State.dropped else { return }
            guard let start = unsafe file.bytes.baseAddress else { return }
            unsafe explicit_bzero(start + token.lowerBound, token.count)
            unsafe file.bytes.storeBytes(of: State.overwritten, toByteOffset: record + 4, as: UInt32.self)
        }
    }

    let file: MemoryFile
    /// Which of several files is the latest.
    let generation: UInt64
    /// Where the next record goes.
    private(set) var end = headSize
    /// Where the records end that were there when the file was taken over.
    private(set) var takenOverEnd = headSize

    private var bytes: UnsafeMutableRawBufferPointer { unsafe file.bytes }

    /// Begins a file; nil where there is no memory for it.
    init?(size: Int, generation: UInt64) {
        guard let file = MemoryFile.make(size: max(size, Self.headSize)) else { return nil }
        self.file = file
        self.generation = generation
        unsafe bytes.storeBytes(of: Self.version, toByteOffset: 8, as: UInt64.self)
        unsafe bytes.storeBytes(of: generation, toByteOffset: 16, as: UInt64.self)
        unsafe bytes.storeBytes(
            of: Self.check(UnsafeRawBufferPointer(rebasing: bytes[8..<24])),
            toByteOffset: 24,
            as: UInt64.self
        )
        unsafe bytes.storeBytes(of: Self.magic, as: UInt64.self)
    }

    /// Takes over an earlier daemon's file; nil where it is none, or another version's.
    ///
    /// Records that aren't whole are dropped, and what that daemon could not overwrite any more is overwritten.
    ///
    /// - Parameter found: Is given the place and the content of each record that is live, in their order.
    init?(
        _ file: MemoryFile,
        found: (_ place: Int, _ content: UnsafeRawBufferPointer, _ lastAsked: Int64) -> Void
    ) {
        self.file = file
        guard unsafe file.bytes.count >= Self.headSize, unsafe file.bytes.load(as: UInt64.self) == Self.magic,
            unsafe file.bytes.load(fromByteOffset: 8, as: UInt64.self) == Self.version,
            unsafe file.bytes.load(fromByteOffset: 24, as: UInt64.self)
                == Self.check(UnsafeRawBufferPointer(rebasing: file.bytes[8..<24]))
        else { return nil }
        generation = unsafe file.bytes.load(fromByteOffset: 16, as: UInt64.self)
        // There must be a later one.
        guard generation < .max else { return nil }
        // One pass: hundreds of megabytes are nowhere near the processor a second time.
        while let length = length(at: end) {
            let state = state(at: end)
            if state == State.live, isWhole(end, length) {
                unsafe found(end, content(at: end), lastAsked(at: end))
            } else if state != State.overwritten {
                drop(end)
            }
            end += length
        }
        takenOverEnd = end
        clearBehind()
    }

    /// So many bytes a record with so much content takes.
    static func recordSize(content: Int) -> Int { (recordHeadSize + content + 7) / 8 * 8 }

    /// How many bytes it can hold, with its head.
    var size: Int { unsafe bytes.count }

    /// Whether there is room for a record of this size.
    func hasRoom(for size: Int) -> Bool { unsafe size <= bytes.count - end }

    /// Appends a record; there must be room.
    ///
    /// - Returns: Its place.
    mutating func append(
        content count: Int,
        lastAsked: Int64,
        writing write: (UnsafeMutableRawBufferPointer) -> Void
    ) -> Int {
        let (place, size) = (end, Self.recordSize(content: count))
        let start = place + Self.recordHeadSize
        unsafe bytes.storeBytes(of: State.live, toByteOffset: place + 4, as: UInt32.self)
        atomicMemoryFence(ordering: .releasing)
        unsafe write(UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + count]))
        let check = unsafe Self.check(UnsafeRawBufferPointer(rebasing: bytes[start..<place + size]))
        unsafe bytes.storeBytes(of: lastAsked, toByteOffset: place + 8, as: Int64.self)
        unsafe bytes.storeBytes(of: check, toByteOffset: place + 16, as: UInt64.self)
        atomicMemoryFence(ordering: .releasing)
        unsafe bytes.storeBytes(of: UInt32(size), toByteOffset: place, as: UInt32.self)
        end += size
        return place
    }

    /// Copies a record of another file as it is; there must be room.
    mutating func append(copying place: Int, of other: LogFile) -> Int {
        let content = unsafe other.content(at: place)
        return unsafe append(content: content.count, lastAsked: other.lastAsked(at: place)) {
            unsafe $0.copyMemory(from: content)
        }
    }

    /// The size of the record at a place.
    func size(at place: Int) -> Int { length(at: place) ?? 0 }

    /// The content of the record at a place, with what it was rounded up by.
    func content(at place: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: bytes[place + Self.recordHeadSize..<place + size(at: place)])
    }

    /// A part of the content of a record that was taken over, to be used where it lies, and what keeps it there.
    func served(_ place: Int, _ part: Range<Int>) -> (bytes: UnsafeMutableRawBufferPointer, owner: ServedToken) {
        let start = place + Self.recordHeadSize
        let range = start + part.lowerBound..<start + part.upperBound
        let owner = ServedToken(file, record: place, token: range)
        return unsafe (UnsafeMutableRawBufferPointer(rebasing: bytes[range]), owner)
    }

    /// When the token at a place was last asked for.
    func lastAsked(at place: Int) -> Int64 { unsafe bytes.load(fromByteOffset: place + 8, as: Int64.self) }

    /// Notes when the token at a place was last asked for.
    func note(_ place: Int, lastAsked: Int64) {
        unsafe bytes.storeBytes(of: lastAsked, toByteOffset: place + 8, as: Int64.self)
    }

    /// Drops a record: one store does it, and then its content is overwritten.
    ///
    /// - Parameter count: So many bytes of the content, if not all: behind them is a ``ServedToken``.
    func drop(_ place: Int, overwriting count: Int? = nil) {
        unsafe bytes.storeBytes(of: State.dropped, toByteOffset: place + 4, as: UInt32.self)
        atomicMemoryFence(ordering: .releasing)
        let content = unsafe content(at: place)
        guard let start = unsafe UnsafeMutableRawPointer(mutating: content.baseAddress) else { return }
        unsafe explicit_bzero(start, min(count ?? .max, content.count))
        guard count == nil else { return }
        atomicMemoryFence(ordering: .releasing)
        unsafe bytes.storeBytes(of: State.overwritten, toByteOffset: place + 4, as: UInt32.self)
    }

    /// Overwrites all behind the last record, where something is: a record that was never finished, or those that can't be
    /// found any more behind one whose length is wrong, which must not be found again later.
    private func clearBehind() {
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[end...])
        let isUsed = unsafe rest.prefix(Self.recordHeadSize).contains { $0 != 0 }
        guard isUsed, let start = rest.baseAddress else { return }
        unsafe explicit_bzero(start, rest.count)
    }

    /// The length of the record at a place; nil: none begins there.
    private func length(at place: Int) -> Int? {
        guard unsafe place + Self.recordHeadSize <= bytes.count else { return nil }
        let length = unsafe Int(bytes.load(fromByteOffset: place, as: UInt32.self))
        guard length >= Self.recordHeadSize, length % 8 == 0, unsafe length <= bytes.count - place else { return nil }
        return length
    }

    private func state(at place: Int) -> UInt32 { unsafe bytes.load(fromByteOffset: place + 4, as: UInt32.self) }

    private func isWhole(_ place: Int, _ length: Int) -> Bool {
        let content = place + Self.recordHeadSize..<place + length
        return unsafe Self.check(UnsafeRawBufferPointer(rebasing: bytes[content]))
            == bytes.load(fromByteOffset: place + 16, as: UInt64.self)
    }

    /// FNV-1a, by words of eight bytes in four rows, which a processor works on at once; it tells accidents, and guards
    /// against nobody.
    private static func check(_ content: UnsafeRawBufferPointer) -> UInt64 {
        let prime: UInt64 = 0x100_0000_01b3
        var rows: (UInt64, UInt64, UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 1, 2, 3)
        var place = 0
        func word(_ index: Int) -> UInt64 {
            unsafe content.load(fromByteOffset: place + 8 * index, as: UInt64.self)
        }
        while place + 32 <= content.count {
            rows.0 = (rows.0 ^ word(0)) &* prime
            rows.1 = (rows.1 ^ word(1)) &* prime
            rows.2 = (rows.2 ^ word(2)) &* prime
            rows.3 = (rows.3 ^ word(3)) &* prime
            place += 32
        }
        var hash = (((rows.0 ^ rows.1) &* prime ^ rows.2) &* prime ^ rows.3) &* prime
        while place + 8 <= content.count {
            hash = (hash ^ word(0)) &* prime
            place += 8
        }
        return hash
    }
}
