import Secrets

/// Reads the parts of an opened value.
///
/// Each method returns nil if the part isn't there.
struct PlainReader {
    private let bytes: SecretBytes
    private var position = 0

    init(_ bytes: SecretBytes) { self.bytes = bytes }

    /// True if all has been read.
    var isAtEnd: Bool { position == bytes.count }

    /// Reads a number.
    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number? {
        let size = Number.bitWidth / 8
        guard bytes.count - position >= size else { return nil }
        defer { position += size }
        return unsafe bytes.withUnsafeBytes { memory in
            unsafe memory[position..<(position + size)].reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
        }
    }

    /// Reads bytes behind their length.
    mutating func array() -> [UInt8]? {
        guard let part = part() else { return nil }
        return unsafe bytes.withUnsafeBytes { unsafe Array($0[part]) }
    }

    /// Reads a text behind its length.
    mutating func text() -> String? { array().flatMap { String(validating: $0, as: UTF8.self) } }

    /// Reads a text that may be none.
    ///
    /// The outer optional is nil if the part isn't there.
    mutating func optionalText() -> String?? {
        switch number(UInt8.self) {
        case 0: .some(nil)
        case 1: text().map(Optional.some)
        default: nil
        }
    }

    /// Reads a secret behind its length.
    mutating func secret(in memory: SecretMemory?) -> SecretBytes? {
        guard let part = part() else { return nil }
        return unsafe bytes.withUnsafeBytes {
            unsafe SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[part]), in: memory)
        }
    }

    private mutating func part() -> Range<Int>? {
        guard let count = number(UInt32.self).map(Int.init), count <= bytes.count - position else { return nil }
        defer { position += count }
        return position..<(position + count)
    }
}
