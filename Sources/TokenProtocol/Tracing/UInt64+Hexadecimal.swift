extension UInt64 {
    /// Reads at most 16 hexadecimal digits in lower case, or returns nil if there is anything else.
    init?(lowerHexadecimal text: borrowing Span<UInt8>, _ digits: Range<Int>) {
        var value: UInt64 = 0
        for position in digits {
            switch text[position] {
            case let digit where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit):
                value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case let digit where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(digit):
                value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        self = value
    }

    /// All 16 hexadecimal digits, in lower case.
    var lowerHexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
