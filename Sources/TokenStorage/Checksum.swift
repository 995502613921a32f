/// A checksum that detects accidents, not attacks.
enum Checksum {
    private static let prime: UInt64 = 0x100_0000_01b3

    /// Returns the checksum of two numbers.
    static func mixed(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let mixed = (first ^ 0xcbf2_9ce4_8422_2325) &* prime
        return ((mixed ^ mixed >> 29 ^ second) &* prime).byteSwapped
    }

    /// Returns the checksum of bytes at an address that is a multiple of eight, with a number before them.
    ///
    /// It is FNV-1a by words of eight bytes in four rows, which a processor computes in parallel.
    ///
    /// - Parameters:
    ///   - count: The number of bytes, rounded up to a multiple of eight.
    static func of(_ start: UnsafeRawPointer, _ count: Int, after seed: UInt64) -> UInt32 {
        var rows: (UInt64, UInt64, UInt64, UInt64) = (0xcbf2_9ce4_8422_2325 ^ seed, 1, 2, 3)
        var offset = 0
        func word(_ index: Int) -> UInt64 { unsafe start.load(fromByteOffset: offset + 8 * index, as: UInt64.self) }
        while offset + 32 <= count {
            rows.0 = (rows.0 ^ word(0)) &* prime
            rows.1 = (rows.1 ^ word(1)) &* prime
            rows.2 = (rows.2 ^ word(2)) &* prime
            rows.3 = (rows.3 ^ word(3)) &* prime
            offset += 32
        }
        var hash = (((rows.0 ^ rows.1) &* prime ^ rows.2) &* prime ^ rows.3) &* prime
        while offset < count {
            hash = (hash ^ word(0)) &* prime
            offset += 8
        }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
