import Glibc

/// Secret bytes in memory of their own, overwritten when the last reference is released.
///
/// Use it through ``AccessToken`` and ``ClientSecret``, which say what the bytes are. It never grows, so a reallocation
/// leaves no copy behind.
// `@unchecked Sendable`, because a pointer is not Sendable. It is sound: the memory is written only in the
// initialiser, before a second reference can exist (viewed memory was written before), and freed in `deinit`, after the
// last one is gone. In between it is only read.
@safe package final class SecretBytes: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    /// The source of the memory, also for secrets derived from this one.
    ///
    /// The heap if nil.
    package let source: SecretMemory?
    /// The owner of the memory, if it isn't this object's own.
    private let owner: (any AnyObject & Sendable)?

    /// Copies bytes into heap memory, which may be swapped.
    ///
    /// The caller has to overwrite its own copy.
    package convenience init(copying bytes: UnsafeRawBufferPointer) {
        unsafe self.init(count: bytes.count) { unsafe $0.copyMemory(from: bytes) }
    }

    /// Copies bytes, or returns nil if there is no memory.
    ///
    /// - Parameters:
    ///   - bytes: The secret. The caller has to overwrite its own copy.
    ///   - source: The source of the memory, or nil for the heap.
    package convenience init?(copying bytes: UnsafeRawBufferPointer, in source: SecretMemory?) {
        unsafe self.init(count: bytes.count, in: source) { unsafe $0.copyMemory(from: bytes) }
    }

    /// Creates a secret on the heap, which may be swapped, and lets a closure write its bytes.
    ///
    /// So no other copy has to exist.
    ///
    /// - Parameters:
    ///   - count: The number of bytes.
    ///   - write: Called with exactly that many zeroed bytes.
    package init(count: Int, writing write: (UnsafeMutableRawBufferPointer) -> Void) {
        (source, owner) = (nil, nil)
        unsafe memory = .allocate(byteCount: count, alignment: 1)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe write(memory)
    }

    /// Creates a secret of a known length, or returns nil if there is no memory.
    ///
    /// - Parameters:
    ///   - count: The number of bytes.
    ///   - source: The source of the memory, or nil for the heap.
    ///   - write: Called with exactly that many zeroed bytes.
    package convenience init?(
        count: Int,
        in source: SecretMemory?,
        writing write: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        guard let source else {
            unsafe self.init(count: count, writing: write)
            return
        }
        guard let memory = unsafe source.allocate(count) else { return nil }
        unsafe self.init(memory, of: source)
        unsafe write(memory)
    }

    private init(_ memory: UnsafeMutableRawBufferPointer, of source: SecretMemory) {
        self.source = source
        owner = nil
        unsafe self.memory = memory
    }

    /// Creates a secret that stays in another object's memory, which must not change any more.
    ///
    /// - Parameters:
    ///   - memory: The secret.
    ///   - owner: Keeps the memory unchanged while it is referred to, and has to overwrite it afterwards.
    ///   - source: The source of memory for secrets derived from this one, or nil for the heap.
    package init(
        viewing memory: UnsafeMutableRawBufferPointer,
        of owner: any AnyObject & Sendable,
        source: SecretMemory? = nil
    ) {
        self.source = source
        self.owner = owner
        unsafe self.memory = memory
    }

    /// The number of bytes.
    package var count: Int { unsafe memory.count }

    /// Calls a closure with the bytes, which are valid only during the call.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(memory))
    }

    /// Appends a part of the bytes to an array, which the caller has to overwrite.
    package func copy(_ range: Range<Int>, to bytes: inout [UInt8]) {
        precondition(range.upperBound <= count, "the part lies within the secret")
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: memory[range]))
    }

    /// Compares bytes in a time that depends only on the lengths.
    package func matches(_ other: UnsafeRawBufferPointer) -> Bool {
        guard unsafe memory.count == other.count else { return false }
        var difference: UInt8 = 0
        for index in unsafe memory.indices {
            unsafe difference |= memory[index] ^ other[index]
        }
        return difference == 0
    }

    deinit {
        guard owner == nil else { return }
        if let source { return unsafe source.deallocate(memory) }
        if let start = unsafe memory.baseAddress {
            unsafe explicit_bzero(start, memory.count)
        }
        unsafe memory.deallocate()
    }
}
