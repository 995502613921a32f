import SafeText

extension [UInt8] {
    /// The bytes as a part of a path or a query: all but the unreserved characters are encoded (RFC 3986, section 2.3).
    var percentEncoded: String {
        let digits = [UInt8]("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(count)
        for byte in self {
            if byte.isUnreserved {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// The bytes within the quotes of a filter, which escapes as JSON does (RFC 7644, section 3.4.2.2).
    var escapedForFilter: [UInt8] {
        flatMap { byte in byte.jsonEscape.map { Array($0.utf8) } ?? [byte] }
    }
}

extension String {
    /// The text as a part of a path or a query.
    var percentEncoded: String { Array(utf8).percentEncoded }
}

extension UInt8 {
    fileprivate var isUnreserved: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
