/// Returns parts one after another, each behind its length, so that no two lists of parts give the same bytes.
func lengthPrefixed(_ parts: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(parts.reduce(0) { $0 + 8 + $1.count })
    for part in parts {
        bytes.append(bigEndian: UInt64(part.count))
        bytes.append(contentsOf: part)
    }
    return bytes
}

extension [UInt8] {
    /// Appends a number, the highest byte first.
    mutating func append(bigEndian number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}

extension UInt8 {
    /// The two hexadecimal digits.
    var hexadecimal: String {
        let digits = String(self, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}
