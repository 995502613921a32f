import Glibc
package import Secrets

/// What the parts of a JSON text mean, once the scanner has found them to be well-formed.
package enum JSONText {
    /// The bytes of a string, escapes resolved.
    package static func bytes(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>) -> [UInt8] {
        guard value.kind == .escapedString else {
            let part = text.extracting(value.start..<value.end)
            return unsafe part.withUnsafeBufferPointer { unsafe Array($0) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.end - value.start)
        var position = value.start
        while position < value.end {
            guard text[position] == UInt8(ascii: "\\") else {
                bytes.append(text[position])
                position += 1
                continue
            }
            resolve(text, &position, into: &bytes)
        }
        return bytes
    }

    /// The bytes of a string that is secret, on the heap: no other copy of them is left.
    static func secret(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>) -> SecretBytes {
        unsafe withBytes(ofSecret: value, text) { unsafe SecretBytes(copying: $0) }
    }

    /// The bytes of a string that is secret, without any other copy; nil where there is no memory left for them.
    ///
    /// - Parameter memory: What to take the secret's memory from; nil: the heap.
    package static func secret(
        of value: JSONScanner.Value,
        _ text: borrowing Span<UInt8>,
        in memory: SecretMemory?
    ) -> SecretBytes? {
        unsafe withBytes(ofSecret: value, text) { unsafe SecretBytes(copying: $0, in: memory) }
    }

    /// Lends the bytes of a secret string and overwrites them.
    private static func withBytes<Result>(
        ofSecret value: JSONScanner.Value,
        _ text: borrowing Span<UInt8>,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        // Its room is taken once, for the longest that it can become, so it leaves nothing behind by growing.
        var bytes = bytes(of: value, text)
        return unsafe bytes.withUnsafeMutableBytes { buffer in
            defer {
                if let start = buffer.baseAddress { unsafe explicit_bzero(start, buffer.count) }
            }
            return unsafe body(UnsafeRawBufferPointer(buffer))
        }
    }

    /// A string as text.
    package static func string(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>) -> String {
        String(decoding: bytes(of: value, text), as: UTF8.self)
    }

    /// A number; infinite where it is too large for a `Double`.
    package static func number(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>) -> Double {
        let small = integer(of: value, text, digits: 15)
        return small.map(Double.init) ?? Double(string(of: value, text)) ?? .infinity
    }

    /// An integer that is written as one, without fraction or exponent; nil: it isn't, or has more digits.
    package static func integer(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>, digits: Int) -> Int64? {
        guard value.kind == .number else { return nil }
        let isNegative = text[value.start] == UInt8(ascii: "-")
        let start = isNegative ? value.start + 1 : value.start
        guard value.end - start <= digits else { return nil }
        var number: Int64 = 0
        for position in start..<value.end {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int64(digit)
        }
        return isNegative ? -number : number
    }

    /// Whether a name or string is this one, escapes resolved.
    package static func isEqual(
        _ value: JSONScanner.Value,
        _ word: StaticString,
        _ text: borrowing Span<UInt8>
    ) -> Bool {
        guard value.kind == .string else { return string(of: value, text) == "\(word)" }
        guard value.end - value.start == word.utf8CodeUnitCount else { return false }
        for offset in 0..<word.utf8CodeUnitCount {
            guard unsafe text[value.start + offset] == word.utf8Start[offset] else { return false }
        }
        return true
    }

    /// A hexadecimal digit's value.
    static func hexadecimalValue(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(digit - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(digit - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    private static func resolve(_ text: borrowing Span<UInt8>, _ position: inout Int, into bytes: inout [UInt8]) {
        let kind = text[position + 1]
        guard kind == UInt8(ascii: "u") else {
            bytes.append(control(kind))
            position += 2
            return
        }
        var scalar = unit(text, position)
        position += 6
        if scalar & 0xFC00 == 0xD800 {
            scalar = 0x10000 + (scalar & 0x3FF) << 10 + unit(text, position) & 0x3FF
            position += 6
        }
        // The scanner has let no lone surrogate pass, so every scalar here is one.
        bytes.append(contentsOf: Unicode.Scalar(scalar).map { Array(String(Character($0)).utf8) } ?? [])
    }

    private static func unit(_ text: borrowing Span<UInt8>, _ position: Int) -> UInt32 {
        var unit: UInt32 = 0
        for offset in 2..<6 { unit = unit << 4 | (hexadecimalValue(text[position + offset]) ?? 0) }
        return unit
    }

    private static func control(_ kind: UInt8) -> UInt8 {
        switch kind {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: kind
        }
    }
}
