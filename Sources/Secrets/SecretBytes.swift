// Secrets: bytes that must not leak.
//
// Why it exists: a token or a client secret that is a `String` or an array ends up in log lines, in crash reports and in
// memory that nobody overwrites. The types of this module are redacted wherever they are printed, are overwritten when
// the last reference goes, and become text only where somebody writes them to a wire and says so.

import Glibc

/// Holds secret bytes in memory of its own that is overwritten when the last reference goes.
///
/// Use it through ``AccessToken`` and ``ClientSecret``, which say what the bytes are. It never grows, so no copy is left
/// behind by a reallocation.
// `@unchecked Sendable`, because a pointer is not Sendable, and sound: the memory is written in the initialiser only,
// before a second reference can exist (what is viewed was written before), and freed in `deinit`, after the last one is
// gone; in between it is only read.
@safe package final class SecretBytes: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    /// What the memory was taken from, for what is made of these bytes; nil: the heap.
    package let source: SecretMemory?
    /// Whose memory it is, where that isn't this object's own.
    private let owner: (any AnyObject & Sendable)?

    /// Copies bytes into memory of the heap, which may be swapped; the caller's copy stays the caller's to overwrite.
    package convenience init(copying bytes: UnsafeRawBufferPointer) {
        unsafe self.init(count: bytes.count) { unsafe $0.copyMemory(from: bytes) }
    }

    /// Copies bytes; nil where there is no memory left for them.
    ///
    /// - Parameters:
    ///   - bytes: The secret; the caller's copy stays the caller's to overwrite.
    ///   - source: What to take the memory from; nil: the heap.
    package convenience init?(copying bytes: UnsafeRawBufferPointer, in source: SecretMemory?) {
        unsafe self.init(count: bytes.count, in: source) { unsafe $0.copyMemory(from: bytes) }
    }

    /// Makes a secret on the heap, which may be swapped, and lets a closure write its bytes, so that no other copy has to
    /// exist.
    ///
    /// - Parameters:
    ///   - count: How many bytes.
    ///   - write: Gets exactly that many bytes, zeroed.
    package init(count: Int, writing write: (UnsafeMutableRawBufferPointer) -> Void) {
        (source, owner) = (nil, nil)
        unsafe memory = .allocate(byteCount: count, alignment: 1)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe write(memory)
    }

    /// Makes a secret of a known length; nil where there is no memory left for it.
    ///
    /// - Parameters:
    ///   - count: How many bytes.
    ///   - source: What to take the memory from; nil: the heap.
    ///   - write: Gets exactly that many bytes, zeroed.
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

    /// Leaves a secret where it lies, in the memory of somebody who doesn't change it any more.
    ///
    /// - Parameters:
    ///   - memory: The secret.
    ///   - owner: Keeps the memory as it is while it is referred to, and has to see to its being overwritten afterwards.
    ///   - source: What the memory of what is made of these bytes is taken from; nil: the heap.
    package init(
        viewing memory: UnsafeMutableRawBufferPointer,
        of owner: any AnyObject & Sendable,
        source: SecretMemory? = nil
    ) {
        self.source = source
        self.owner = owner
        unsafe self.memory = memory
    }

    /// How many bytes the secret has.
    package var count: Int { unsafe memory.count }

    /// Lends the bytes for the length of a call.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(memory))
    }

    /// Appends a part of the bytes to an array, whose owner then has them to overwrite.
    package func copy(_ range: Range<Int>, to bytes: inout [UInt8]) {
        precondition(range.upperBound <= count, "the part lies within the secret")
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: memory[range]))
    }

    /// Compares in a time that depends on the lengths only.
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
