/// The slot of a key in a cluster.
enum ClusterSlot {
    /// The number of slots.
    static let count = 16_384

    /// Returns the slot of a key: the CRC16 (XMODEM) of its hash tag, or of all of it if it has none.
    static func of(_ key: String) -> Int {
        let bytes = Array(key.utf8)
        return Int(crc(tag(of: bytes))) % count
    }

    /// The bytes between the first brace and the next closing one, unless there are none.
    private static func tag(of key: [UInt8]) -> ArraySlice<UInt8> {
        guard let open = key.firstIndex(of: UInt8(ascii: "{")) else { return key[...] }
        let rest = key[(open + 1)...]
        guard let close = rest.firstIndex(of: UInt8(ascii: "}")), close > rest.startIndex else { return key[...] }
        return rest[..<close]
    }

    private static func crc(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var sum: UInt16 = 0
        for byte in bytes {
            sum ^= UInt16(byte) << 8
            for _ in 0..<8 { sum = sum & 0x8000 == 0 ? sum << 1 : sum << 1 ^ 0x1021 }
        }
        return sum
    }
}
