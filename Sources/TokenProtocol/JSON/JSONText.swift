import Glibc
package import Secrets

/// Reads the values that a ``JSONScanner`` has found in a JSON text.
package enum JSONText {
    /// The bytes of a string, without its escapes.
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

    /// The bytes of a secret string, on the heap.
    ///
    /// No other copy of them is left.
    static func secret(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>) -> SecretBytes {
        unsafe withBytes(ofSecret: value, text) { unsafe SecretBytes(copying: $0) }
    }

    /// The bytes of a secret string, or nil if there is no memory left for them.
    ///
    /// No other copy of them is left.
    ///
    /// - Parameter memory: The source of the secret's memory, or nil for the heap.
    package static func secret(
        of value: JSONScanner.Value,
        _ text: borrowing Span<UInt8>,
        in memory: SecretMemory?
    ) -> SecretBytes? {
        unsafe withBytes(ofSecret: value, text) { unsafe SecretBytes(copying: $0, in: memory) }
    }

    /// Lends the bytes of a secret string, then overwrites them.
    private static func withBytes<Result>(
        ofSecret value: JSONScanner.Value,
        _ text: borrowing Span<UInt8>,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        // The array is allocated once, for the longest result, so it leaves no copy behind by growing.
        var bytes = bytes(of: value, text)
        return unsafe bytes.withUnsafeMutableBytes { buffer in
            defer {
                if let start = buffer.baseAddress { unsafe explicit_bzero(start, buffer.count) }
            }
            return unsafe body(UnsafeRawBufferPointer(buffer))
        }
    }

    /// A string as a Swift string.
    package static func string(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>) -> String {
        String(decoding: bytes(of: value, text), as: UTF8.self)
    }

    /// A number, or infinity if it is too large for a `Double`.
    package static func number(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>) -> Double {
        let small = integer(of: value, text, digits: 15)
        return small.map(Double.init) ?? Double(string(of: value, text)) ?? .infinity
    }

    /// A number that is written as an integer, without fraction or exponent.
    ///
    /// Returns nil for others or too many digits.
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

    /// True if a name or string is a certain word, without its escapes.
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

    /// True if bytes are well-formed UTF-8.
    package static func isUTF8(_ text: borrowing Span<UInt8>) -> Bool {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: copy text)
            return true
        } catch {
            return false
        }
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
        // The scanner rejects lone surrogates, so this is always a Unicode scalar.
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
