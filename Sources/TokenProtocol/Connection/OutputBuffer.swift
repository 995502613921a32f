import Glibc
import SafeText
import Secrets

/// The bytes of replies that are to be sent.
///
/// They hold tokens, so they are overwritten once they were sent.
package struct OutputBuffer {
    private var bytes: [UInt8] = []

    /// Creates an empty buffer.
    package init() {}

    /// The number of bytes.
    package var count: Int { bytes.count }

    /// True if there are no bytes.
    package var isEmpty: Bool { bytes.isEmpty }

    /// Lends the bytes, then overwrites and drops them.
    ///
    /// Memory up to a size is kept for the next ones.
    package mutating func drain<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let result = unsafe bytes.withUnsafeBytes(body)
        wipe()
        return result
    }

    /// Overwrites and drops the bytes.
    package mutating func wipe() {
        Self.overwrite(&bytes)
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacity)
    }

    /// The largest memory that is kept, in bytes.
    ///
    /// A larger buffer, which one large reply needs, is freed, as there may be thousands of connections. A connection
    /// sends after 64 KiB. For that the memory doubles to 128 KiB, which the allocator rounds up.
    private static let keptCapacity = 192 * 1_024
    /// The smallest memory in bytes: a few replies with their tokens.
    private static let firstCapacity = 4_096

    /// Grows the memory for more bytes, and overwrites the old memory, which the array would free with its tokens.
    private mutating func reserve(_ count: Int) {
        if bytes.count + count > bytes.capacity { grow(by: count) }
    }

    private mutating func grow(by count: Int) {
        var larger: [UInt8] = []
        larger.reserveCapacity(max(Self.firstCapacity, 2 * bytes.capacity, bytes.count + count))
        larger.append(contentsOf: bytes)
        Self.overwrite(&bytes)
        bytes = larger
    }

    private static func overwrite(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            if let start = buffer.baseAddress { unsafe explicit_bzero(start, buffer.count) }
        }
    }

    // MARK: Raw

    /// Appends what a closure writes, after one check of the memory.
    ///
    /// - Parameter size: The most bytes that it writes.
    @inline(__always)
    mutating func append(atMost size: Int, _ write: (inout Writer) -> Void) {
        reserve(size)
        bytes.append(addingCapacity: size) { span in
            unsafe span.withUnsafeMutableBufferPointer { memory, count in
                guard let start = UnsafeMutableRawPointer(memory.baseAddress) else { return }
                var writer = unsafe Writer(start, capacity: memory.count)
                write(&writer)
                count = unsafe writer.position - start
            }
        }
    }

    /// Appends text that needs no escapes.
    mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        bytes.append(byte)
    }

    mutating func append(_ other: some Collection<UInt8>) {
        reserve(other.count)
        bytes.append(contentsOf: other)
    }

    mutating func append(_ secret: SecretBytes, _ range: Range<Int>) {
        reserve(range.count)
        secret.copy(range, to: &bytes)
    }

    /// Appends a number in decimal digits.
    mutating func append(_ number: Int) {
        guard number >= 10 || number < 0 else { return append(UInt8(ascii: "0") + UInt8(number)) }
        guard number > 0 else { return append(String(number).utf8) }
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    // MARK: JSON

    /// Appends a number with at most six decimal places, which are microseconds if it is seconds.
    ///
    /// Infinity, which JSON can't express, becomes `null`.
    mutating func append(_ number: Double) {
        guard number.isFinite else { return append("null") }
        let rounded = (number * 1_000_000).rounded() / 1_000_000
        append(String(rounded).utf8)
    }

    /// Appends a JSON string with its quotes.
    ///
    /// Besides what RFC 8259 requires, characters that end a line or control a terminal are escaped, so that a reply
    /// can be printed as it is.
    mutating func append(string text: String) {
        guard text.isPlainJSON else { return append(text.jsonQuoted.utf8) }
        reserve(text.utf8.count + 2)
        append(UInt8(ascii: "\""))
        append(text.utf8)
        append(UInt8(ascii: "\""))
    }

    /// Appends a member's name with the comma that separates it from the previous member, and its colon.
    mutating func append(name: String, isFirst: Bool) {
        if !isFirst { append(UInt8(ascii: ",")) }
        append(string: name)
        append(UInt8(ascii: ":"))
    }

    /// Appends a JSON string with its quotes, given as UTF-8.
    mutating func append(string text: some Collection<UInt8>) { append(string: String(decoding: text, as: UTF8.self)) }
}
