import Secrets

/// Base64 (RFC 4648) of secrets and names.
enum Base64 {
    /// Encodes bytes with the alphabet for URLs, without padding (section 5).
    static func urlText(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var (bits, count): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            (bits, count) = (bits << 8 | UInt32(byte), count + 8)
            while count >= 6 {
                count -= 6
                text.append(digit(UInt8(truncatingIfNeeded: bits >> count) & 63))
            }
        }
        if count > 0 { text.append(digit(UInt8(truncatingIfNeeded: bits << (6 - count)) & 63)) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Decodes a secret of a known length with the usual alphabet and padding (section 4).
    ///
    /// Returns nil if there is no memory, or if the text has any other form, such as bits behind the last byte that aren't zero.
    static func secret(_ text: UnsafeRawBufferPointer, count: Int, in source: SecretMemory?) -> SecretBytes? {
        let digits = (count * 8 + 5) / 6
        let padding = (4 - digits % 4) % 4
        guard text.count == digits + padding else { return nil }
        guard unsafe text[digits...].allSatisfy({ $0 == UInt8(ascii: "=") }) else { return nil }
        var isValid = true
        let secret = unsafe SecretBytes(count: count, in: source) { memory in
            var (bits, width, position): (UInt32, UInt32, Int) = (0, 0, 0)
            for index in 0..<digits {
                guard let value = unsafe value(text[index]) else {
                    isValid = false
                    return
                }
                (bits, width) = (bits << 6 | UInt32(value), width + 6)
                guard width >= 8 else { continue }
                width -= 8
                unsafe memory[position] = UInt8(truncatingIfNeeded: bits >> width)
                position += 1
            }
            isValid = bits & (1 << width - 1) == 0
        }
        return isValid ? secret : nil
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "-")
        default: UInt8(ascii: "_")
        }
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
