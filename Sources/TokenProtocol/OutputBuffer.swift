import Glibc
import Secrets

/// Bytes on their way to a peer, written as JSON; they hold tokens, so they are overwritten when they have been sent.
package struct OutputBuffer {
    private var bytes: [UInt8] = []

    /// An empty buffer.
    package init() {}

    /// How many bytes wait.
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
        unsafe bytes.withUnsafeMutableBytes { buffer in
            if let start = buffer.baseAddress { unsafe explicit_bzero(start, buffer.count) }
        }
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacity)
    }

    /// A buffer that grew past this for one large batch is given back.
    private static let keptCapacity = 256 * 1_024

    // MARK: Raw

    /// Appends text that is known to need no escapes.
    mutating func append(_ text: StaticString) {
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func append(_ other: [UInt8]) { bytes.append(contentsOf: other) }

    mutating func append(_ secret: SecretBytes, _ range: Range<Int>) {
        secret.copy(range, to: &bytes)
    }

    /// Appends a number in decimal digits.
    mutating func append(_ number: Int) {
        guard number >= 10 || number < 0 else { return bytes.append(UInt8(ascii: "0") + UInt8(number)) }
        guard number > 0 else { return bytes.append(contentsOf: String(number).utf8) }
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    // MARK: JSON

    /// Appends a string with its quotes, escaped.
    mutating func append(string text: String) { append(string: text.utf8) }

    /// Appends a string with its quotes, escaped; the bytes are UTF-8.
    ///
    /// Besides what RFC 8259 asks for, the characters that end a line or steer a terminal are escaped, so that a reply
    /// that is printed does what its reader sees.
    mutating func append(string text: some Sequence<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20, 0x7F:
                append("\\u00")
                bytes.append(Self.hexadecimal[Int(byte >> 4)])
                bytes.append(Self.hexadecimal[Int(byte & 0xF)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
