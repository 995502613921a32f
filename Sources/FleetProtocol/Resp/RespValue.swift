/// A value of the engine's protocol, RESP2 or RESP3.
package indirect enum RespValue: Sendable, Equatable {
    case simple(String)
    /// An error, which begins with its code, such as `NOSCRIPT`.
    case error(String)
    case integer(Int64)
    case bulk([UInt8])
    case array([RespValue])
    case null
    /// A map, whose keys and values follow one another.
    case map([RespValue])
    case set([RespValue])
    case double(Double)
    case boolean(Bool)
    /// An integer of any length, as text.
    case bigNumber(String)
    /// Data that doesn't answer a command.
    case push([RespValue])
}

extension RespValue {
    /// The bytes of a string, or nil for another value.
    package var bytes: [UInt8]? {
        switch self {
        case .bulk(let bytes): bytes
        case .simple(let text): Array(text.utf8)
        default: nil
        }
    }

    /// The text of a string, or nil for another value and for bytes that are no text.
    package var text: String? {
        switch self {
        case .bulk(let bytes): String(validating: bytes, as: UTF8.self)
        case .simple(let text): text
        default: nil
        }
    }

    /// The number, also from its text, or nil for another value.
    package var number: Int64? {
        if case .integer(let number) = self { return number }
        return bytes.flatMap { DecimalNumber.read($0[...]) }
    }

    /// The elements of an array, a set, or data that answers no command, or nil for another value.
    package var elements: [RespValue]? {
        switch self {
        case .array(let elements), .set(let elements), .push(let elements): elements
        default: nil
        }
    }

    /// The keys and values of a map, which RESP2 sends as an array, or nil for another value.
    package var pairs: [(key: RespValue, value: RespValue)]? {
        let flat: [RespValue]
        switch self {
        case .map(let elements), .array(let elements): flat = elements
        default: return nil
        }
        guard flat.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: flat.count, by: 2).map { (flat[$0], flat[$0 + 1]) }
    }

    /// The first word of an error, or nil for another value.
    package var errorCode: String? {
        guard case .error(let text) = self else { return nil }
        return String(text.prefix { $0 != " " })
    }
}

/// Decimal numbers as the protocol has them.
enum DecimalNumber {
    /// Reads digits with an optional sign, or returns nil for other text and for a number that is too large.
    static func read(_ text: ArraySlice<UInt8>) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        let hasSign = isNegative || text.first == UInt8(ascii: "+")
        let digits = hasSign ? text.dropFirst() : text
        guard !digits.isEmpty else { return nil }
        var number: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let value = Int64(digit - UInt8(ascii: "0"))
            let (tens, isLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) =
                isNegative
                ? tens.subtractingReportingOverflow(value) : tens.addingReportingOverflow(value)
            guard !isLarge, !isLarger else { return nil }
            number = sum
        }
        return number
    }
}
