import Glibc
import Synchronization

/// One file of the log: a head, followed by records, followed by zeros.
///
/// A record's state is written first and its length last. So a daemon that is killed while it writes leaves no record,
/// but bytes that can be told from the zeros behind the last record. A checksum detects all other damage.
///
///     head    0 magic · 8 version · 16 generation · 24 check of these · 32 zeros up to 64
///     record  0 length with the head, a multiple of 8 · 4 state · 8 last used · 16 check of the content · 24 content
@safe struct LogFile {
    static let headSize = 64
    static let recordHeadSize = 24
    /// The version of the layout and of the content of records.
    ///
    /// Files with another version are ignored.
    static let version: UInt64 = 1
    /// The text "tokenlog" as a number.
    private static let magic: UInt64 = 0x676f_6c6e_656b_6f74
    /// The time of a token that was never used.
    static let never = Int64.min

    private enum State {
        static let live: UInt32 = 1
        /// The record is dropped, but the token's bytes may still be there.
        static let dropped: UInt32 = 2
        static let overwritten: UInt32 = 3
    }

    /// The token of a restored record, served from the record's memory.
    ///
    /// Its bytes are overwritten when the record is dropped and the last reference is released. Whoever drops the
    /// record holds the token, so this object can't be gone before. A daemon that ends without dropping leaves the
    /// token to the next daemon.
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
    /// The number of the file.
    ///
    /// The latest file has the highest.
    let generation: UInt64
    /// The offset of the next record.
    private(set) var end = headSize
    /// The end of the records that were taken over.
    private(set) var takenOverEnd = headSize

    private var bytes: UnsafeMutableRawBufferPointer { unsafe file.bytes }

    /// Creates a file, or returns nil if there is no memory.
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

    /// Takes over an earlier daemon's file, or returns nil if it is no log file or has another version.
    ///
    /// Damaged records are dropped, and dropped records that the earlier daemon could not overwrite are overwritten.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - found: Called with the offset and the content of each live record, in their order.
    init?(
        _ file: MemoryFile,
        found: (_ offset: Int, _ content: UnsafeRawBufferPointer, _ lastUsed: Int64) -> Void
    ) {
        self.file = file
        guard unsafe file.bytes.count >= Self.headSize, unsafe file.bytes.load(as: UInt64.self) == Self.magic,
            unsafe file.bytes.load(fromByteOffset: 8, as: UInt64.self) == Self.version,
            unsafe file.bytes.load(fromByteOffset: 24, as: UInt64.self)
                == Self.check(UnsafeRawBufferPointer(rebasing: file.bytes[8..<24]))
        else { return nil }
        generation = unsafe file.bytes.load(fromByteOffset: 16, as: UInt64.self)
        // A later file must be possible.
        guard generation < .max else { return nil }
        // One pass, as hundreds of megabytes don't stay in the processor's caches.
        while let length = length(at: end) {
            let state = state(at: end)
            if state == State.live, isWhole(end, length) {
                unsafe found(end, content(at: end), lastUsed(at: end))
            } else if state != State.overwritten {
                drop(end)
            }
            end += length
        }
        takenOverEnd = end
        clearBehind()
    }

    /// Returns the size of a record with content of a size.
    static func recordSize(content: Int) -> Int { (recordHeadSize + content + 7) / 8 * 8 }

    /// The size in bytes, including the head.
    var size: Int { unsafe bytes.count }

    /// True if there is space for a record of this size.
    func hasSpace(for size: Int) -> Bool { unsafe size <= bytes.count - end }

    /// Appends a record.
    ///
    /// There must be space.
    ///
    /// - Returns: The record's offset.
    mutating func append(
        content count: Int,
        lastUsed: Int64,
        writing write: (UnsafeMutableRawBufferPointer) -> Void
    ) -> Int {
        let (offset, size) = (end, Self.recordSize(content: count))
        let start = offset + Self.recordHeadSize
        unsafe bytes.storeBytes(of: State.live, toByteOffset: offset + 4, as: UInt32.self)
        atomicMemoryFence(ordering: .releasing)
        unsafe write(UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + count]))
        let check = unsafe Self.check(UnsafeRawBufferPointer(rebasing: bytes[start..<offset + size]))
        unsafe bytes.storeBytes(of: lastUsed, toByteOffset: offset + 8, as: Int64.self)
        unsafe bytes.storeBytes(of: check, toByteOffset: offset + 16, as: UInt64.self)
        atomicMemoryFence(ordering: .releasing)
        unsafe bytes.storeBytes(of: UInt32(size), toByteOffset: offset, as: UInt32.self)
        end += size
        return offset
    }

    /// Copies a record of another file without changes.
    ///
    /// There must be space.
    mutating func append(copying offset: Int, of other: LogFile) -> Int {
        let content = unsafe other.content(at: offset)
        return unsafe append(content: content.count, lastUsed: other.lastUsed(at: offset)) {
            unsafe $0.copyMemory(from: content)
        }
    }

    /// Returns the size of the record at an offset.
    func size(at offset: Int) -> Int { length(at: offset) ?? 0 }

    /// Returns the content of the record at an offset, including the padding.
    func content(at offset: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: bytes[offset + Self.recordHeadSize..<offset + size(at: offset)])
    }

    /// Returns a part of a restored record's content, to be used in place, and the object that owns it.
    func served(_ offset: Int, _ part: Range<Int>) -> (bytes: UnsafeMutableRawBufferPointer, owner: ServedToken) {
        let start = offset + Self.recordHeadSize
        let range = start + part.lowerBound..<start + part.upperBound
        let owner = ServedToken(file, record: offset, token: range)
        return unsafe (UnsafeMutableRawBufferPointer(rebasing: bytes[range]), owner)
    }

    /// Returns the time at which the token at an offset was last used.
    func lastUsed(at offset: Int) -> Int64 { unsafe bytes.load(fromByteOffset: offset + 8, as: Int64.self) }

    /// Updates the time at which the token at an offset was last used.
    func note(_ offset: Int, lastUsed: Int64) {
        unsafe bytes.storeBytes(of: lastUsed, toByteOffset: offset + 8, as: Int64.self)
    }

    /// Drops a record with a single store, then overwrites its content.
    ///
    /// - Parameters:
    ///   - offset: The record's offset.
    ///   - count: The number of bytes to overwrite if not all. The rest belongs to a ``ServedToken``.
    func drop(_ offset: Int, overwriting count: Int? = nil) {
        unsafe bytes.storeBytes(of: State.dropped, toByteOffset: offset + 4, as: UInt32.self)
        atomicMemoryFence(ordering: .releasing)
        let content = unsafe content(at: offset)
        guard let start = unsafe UnsafeMutableRawPointer(mutating: content.baseAddress) else { return }
        unsafe explicit_bzero(start, min(count ?? .max, content.count))
        guard count == nil else { return }
        atomicMemoryFence(ordering: .releasing)
        unsafe bytes.storeBytes(of: State.overwritten, toByteOffset: offset + 4, as: UInt32.self)
    }

    /// Overwrites everything behind the last record.
    ///
    /// It may hold an unfinished record, or records that can't be found any more behind a wrong length, which must not
    /// be found again later.
    private func clearBehind() {
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[end...])
        let isUsed = unsafe rest.prefix(Self.recordHeadSize).contains { $0 != 0 }
        guard isUsed, let start = rest.baseAddress else { return }
        unsafe explicit_bzero(start, rest.count)
    }

    /// Returns the length of the record at an offset, or nil if no record starts there.
    private func length(at offset: Int) -> Int? {
        guard unsafe offset + Self.recordHeadSize <= bytes.count else { return nil }
        let length = unsafe Int(bytes.load(fromByteOffset: offset, as: UInt32.self))
        guard length >= Self.recordHeadSize, length % 8 == 0, unsafe length <= bytes.count - offset else { return nil }
        return length
    }

    private func state(at offset: Int) -> UInt32 { unsafe bytes.load(fromByteOffset: offset + 4, as: UInt32.self) }

    private func isWhole(_ offset: Int, _ length: Int) -> Bool {
        let content = offset + Self.recordHeadSize..<offset + length
        return unsafe Self.check(UnsafeRawBufferPointer(rebasing: bytes[content]))
            == bytes.load(fromByteOffset: offset + 16, as: UInt64.self)
    }

    /// Returns an FNV-1a checksum, by words of eight bytes in four rows, which a processor computes in parallel.
    ///
    /// It detects accidents, not attacks.
    static func check(_ content: UnsafeRawBufferPointer) -> UInt64 {
        let prime: UInt64 = 0x100_0000_01b3
        var rows: (UInt64, UInt64, UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 1, 2, 3)
        var offset = 0
        func word(_ index: Int) -> UInt64 {
            unsafe content.load(fromByteOffset: offset + 8 * index, as: UInt64.self)
        }
        while offset + 32 <= content.count {
            rows.0 = (rows.0 ^ word(0)) &* prime
            rows.1 = (rows.1 ^ word(1)) &* prime
            rows.2 = (rows.2 ^ word(2)) &* prime
            rows.3 = (rows.3 ^ word(3)) &* prime
            offset += 32
        }
        var hash = (((rows.0 ^ rows.1) &* prime ^ rows.2) &* prime ^ rows.3) &* prime
        while offset + 8 <= content.count {
            hash = (hash ^ word(0)) &* prime
            offset += 8
        }
        return hash
    }
}
