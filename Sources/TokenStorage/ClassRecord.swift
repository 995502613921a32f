import Glibc
import Synchronization

/// A view of a class's record in the storage's memory.
///
///     0 state · 4 check · 8 references · 12 hash · 16 next · 20 tag · 24 six lengths · 48 texts
///
/// The check covers the lengths and the texts. The rest is for the present daemon alone, which sets it anew.
@safe package struct ClassRecord {
    /// The offsets of the numbers.
    @usableFromInline enum Offset {
        static let check = 4
        static let references = 8
        static let hash = 12
        static let next = 16
        @usableFromInline static let tag = 20
        @usableFromInline static let lengths = 24
        @usableFromInline static let texts = 48
    }

    /// The texts in their order.
    @usableFromInline enum Text: Int, CaseIterable {
        case tenant
        case host
        case clientID
        case scopes
        case grantedScope
        case escapedScope
    }

    @usableFromInline let start: UnsafeMutableRawPointer

    @inlinable init(_ start: UnsafeMutableRawPointer) { unsafe self.start = start }

    /// A number that the cache may set and read.
    ///
    /// It is zero in a new record, and in one that was restored.
    @inlinable package var tag: UInt32 {
        get { load(Offset.tag) }
        nonmutating set { store(newValue, Offset.tag) }
    }

    /// The granted scopes as they are written between the quotes of a JSON string.
    @inlinable package var escapedScope: UnsafeRawBufferPointer { unsafe text(.escapedScope) }

    /// The requested scopes.
    @inlinable package var scopes: UnsafeRawBufferPointer { unsafe text(.scopes) }

    /// All texts.
    package var tokenClass: TokenClass {
        TokenClass(
            tenant: string(.tenant),
            host: string(.host),
            clientID: string(.clientID),
            scopes: string(.scopes),
            grantedScope: string(.grantedScope)
        )
    }

    /// The number of tokens of this class.
    package internal(set) var references: UInt32 {
        get { load(Offset.references) }
        nonmutating set { store(newValue, Offset.references) }
    }

    // MARK: The table

    /// The hash of the texts.
    var hash: UInt32 {
        get { load(Offset.hash) }
        nonmutating set { store(newValue, Offset.hash) }
    }

    /// The next class of the same bucket, in units, or zero.
    var next: UInt32 {
        get { load(Offset.next) }
        nonmutating set { store(newValue, Offset.next) }
    }

    /// True if the lengths and texts are these bytes.
    func hasTexts(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard encodedCount == bytes.count, let other = bytes.baseAddress else { return false }
        return unsafe memcmp(start + Offset.lengths, other, bytes.count) == 0
    }

    /// The lengths and texts.
    var encoded: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start + Offset.lengths, count: encodedCount)
    }

    /// The number of bytes of the lengths and texts.
    private var encodedCount: Int {
        Text.allCases.reduce(Offset.texts - Offset.lengths) { $0 + Int(load(Offset.lengths + 4 * $1.rawValue)) }
    }

    // MARK: Writing

    /// The size of a record with these lengths and texts.
    static func size(_ encoded: [UInt8]) -> Int { Offset.lengths + encoded.count }

    /// Writes a record for a class without tokens, its state last.
    func write(_ encoded: [UInt8], hash: UInt32) {
        unsafe start.storeBytes(of: RecordState.writing.rawValue, as: UInt8.self)
        atomicMemoryFence(ordering: .releasing)
        unsafe UnsafeMutableRawBufferPointer(start: start + Offset.lengths, count: encoded.count)
            .copyBytes(from: encoded)
        (references, tag) = (0, 0)
        self.hash = hash
        store(check, Offset.check)
        atomicMemoryFence(ordering: .releasing)
        unsafe start.storeBytes(of: RecordState.tokenClass.rawValue, as: UInt8.self)
    }

    /// True if the record fits into its slot and is not damaged.
    func isWhole(in size: Int) -> Bool {
        Offset.lengths + encodedCount <= size && load(Offset.check) == check
    }

    /// Prepares a record of an earlier daemon for this one.
    func reset(hash: UInt32) {
        (references, tag) = (0, 0)
        self.hash = hash
    }

    /// The checksum of the lengths and texts.
    private var check: UInt32 { unsafe Checksum.of(start + Offset.lengths, encodedCount, after: 0) }

    // MARK: Bytes

    @inlinable func text(_ text: Text) -> UnsafeRawBufferPointer {
        var offset = Offset.texts
        for before in 0..<text.rawValue { offset += Int(load(Offset.lengths + 4 * before)) }
        let count = Int(load(Offset.lengths + 4 * text.rawValue))
        return unsafe UnsafeRawBufferPointer(start: start + offset, count: count)
    }

    private func string(_ text: Text) -> String { unsafe String(decoding: self.text(text), as: UTF8.self) }

    @inlinable func load(_ offset: Int) -> UInt32 { unsafe start.load(fromByteOffset: offset, as: UInt32.self) }

    @inlinable func store(_ value: UInt32, _ offset: Int) {
        unsafe start.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
    }
}

@available(*, unavailable)
extension ClassRecord: Sendable {}
