/// Something that a line of the protocol begins.
enum RespItem {
    case value(RespValue)
    case aggregate(RespAggregate)
}

/// An array, map, set, push or attributes whose elements are still arriving.
struct RespAggregate: Sendable {
    let kind: UInt8
    /// The number of elements that are missing.
    var missing: Int
    var elements: [RespValue] = []

    /// Creates an aggregate of a number of elements, or of pairs for a map or attributes.
    init(kind: UInt8, count: Int) {
        self.kind = kind
        let isOfPairs = kind == UInt8(ascii: "%") || kind == UInt8(ascii: "|")
        missing = isOfPairs ? count * 2 : count
    }

    /// The value that the elements make, or nil for attributes.
    var value: RespValue? {
        switch kind {
        case UInt8(ascii: "%"): .map(elements)
        case UInt8(ascii: "~"): .set(elements)
        case UInt8(ascii: ">"): .push(elements)
        case UInt8(ascii: "|"): nil
        default: .array(elements)
        }
    }
}

extension RespValue {
    /// Reads a value that is one line, or returns nil if it is malformed.
    init?(line: ArraySlice<UInt8>, kind: UInt8) {
        let text = { String(decoding: line, as: UTF8.self) }
        switch kind {
        case UInt8(ascii: "+"): self = .simple(text())
        case UInt8(ascii: "-"): self = .error(text())
        case UInt8(ascii: ":"):
            guard let number = DecimalNumber.read(line) else { return nil }
            self = .integer(number)
        case UInt8(ascii: "_"):
            guard line.isEmpty else { return nil }
            self = .null
        case UInt8(ascii: "#"):
            guard line == [UInt8(ascii: "t")] || line == [UInt8(ascii: "f")] else { return nil }
            self = .boolean(line.first == UInt8(ascii: "t"))
        case UInt8(ascii: ","):
            guard let number = Double(text()) else { return nil }
            self = .double(number)
        case UInt8(ascii: "("):
            let isNumber = line.allSatisfy { $0 == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
            guard isNumber, !line.isEmpty else { return nil }
            self = .bigNumber(text())
        default: return nil
        }
    }
}
