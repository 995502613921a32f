import Glibc
import SafeText
import Secrets

/// Bytes on their way to a peer, written as JSON; they hold tokens, so they are overwritten when they have been sent.
package struct OutputBuffer {
    private var bytes: [UInt8] = []

    /// An empty buffer.
    package init() {}

    /// The number of bytes that wait.
    package var count: Int { bytes.count }

    /// Whether none wait.
    package var isEmpty: Bool { bytes.isEmpty }

    /// Lends the bytes, then overwrites and drops them; the memory is kept for the next ones, up to a size.
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

    /// Room past this, which one large reply took, is given back: what thousands of connections keep adds up.
    ///
    /// A connection sends after 64 KiB, for which the room doubles to 128 KiB and what the allocator rounds that up to.
    private static let keptCapacity = 192 * 1_024
    /// The first room in bytes: a few replies with their tokens.
    private static let firstCapacity = 4_096

    /// Makes room by hand where there is too little: the array would free its old memory as it is, tokens and all.
    private mutating func makeRoom(for count: Int) {
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

    /// Appends text that is known to need no escapes.
    mutating func append(_ text: StaticString) {
        makeRoom(for: text.utf8CodeUnitCount)
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ byte: UInt8) {
        makeRoom(for: 1)
        bytes.append(byte)
    }

    mutating func append(_ other: [UInt8]) {
        makeRoom(for: other.count)
        bytes.append(contentsOf: other)
    }

    mutating func append(_ secret: SecretBytes, _ range: Range<Int>) {
        makeRoom(for: range.count)
        secret.copy(range, to: &bytes)
    }

    /// Appends a number in decimal digits.
    mutating func append(_ number: Int) {
        guard number >= 10 || number < 0 else { return append(UInt8(ascii: "0") + UInt8(number)) }
        guard number > 0 else { return append(Array(String(number).utf8)) }
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    // MARK: JSON

    /// Appends a number with fractions, to the microsecond where it is seconds; JSON has no word for infinity.
    mutating func append(_ number: Double) {
        guard number.isFinite else { return append("null") }
        let rounded = (number * 1_000_000).rounded() / 1_000_000
        var digits = String(rounded)
        digits.withUTF8 { utf8 in
            makeRoom(for: utf8.count)
            unsafe bytes.append(contentsOf: utf8)
        }
    }

    /// Appends a string with its quotes, escaped.
    ///
    /// Besides what RFC 8259 asks for, the characters that end a line or steer a terminal are escaped, so that a reply
    /// that is printed does what its reader sees.
    mutating func append(string text: String) { append(quoted: text, before: nil, after: nil) }

    /// Appends a member's name with what separates it from the member before and from its value.
    mutating func append(name: String, isFirst: Bool) {
        append(quoted: name, before: isFirst ? nil : UInt8(ascii: ","), after: UInt8(ascii: ":"))
    }

    private mutating func append(quoted text: String, before: UInt8?, after: UInt8?) {
        var text = text
        text.withUTF8 { utf8 in
            makeRoom(for: utf8.count + 4)
            if let before { bytes.append(before) }
            bytes.append(UInt8(ascii: "\""))
            if unsafe utf8.allSatisfy(Self.isPlain) {
                unsafe bytes.append(contentsOf: utf8)
            } else {
                unsafe append(escaping: String(decoding: utf8, as: UTF8.self))
            }
            append(UInt8(ascii: "\""))
            if let after { append(after) }
        }
    }

    /// True if a byte is a character of its own that stands for itself in a string.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private mutating func append(escaping text: String) {
        for scalar in text.unicodeScalars {
            if scalar.isUnsafeToPrint {
                for byte in scalar.escaped.utf8 { append(byte) }
            } else {
                if scalar == "\"" || scalar == "\\" { append(UInt8(ascii: "\\")) }
                for byte in UTF8.encode(scalar) ?? .init() { append(byte) }
            }
        }
    }

    /// Appends a string with its quotes, escaped; the bytes are UTF-8.
    mutating func append(string text: some Collection<UInt8>) { append(string: String(decoding: text, as: UTF8.self)) }
}
