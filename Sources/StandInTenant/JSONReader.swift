/// Reads JSON as strictly as RFC 8259 allows: no duplicate member, no byte-order mark, no invalid UTF-8.
package struct JSONReader {
    /// Arrays and objects in one another; a request of the contract needs two, and recursion must have an end.
    private static let maximumDepth = 32

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The value that the bytes hold, or why they hold none.
    package static func value(of bytes: [UInt8]) throws(JSONFault) -> JSONValue {
        var reader = JSONReader(bytes)
        reader.skipSpace()
        let value = try reader.readValue()
        reader.skipSpace()
        guard reader.position == bytes.count else { throw JSONFault("something follows the JSON value") }
        return value
    }

    private var next: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            position += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func readValue() throws(JSONFault) -> JSONValue {
        switch next {
        case UInt8(ascii: "{"): return try nested { reader throws(JSONFault) in try reader.readObject() }
        case UInt8(ascii: "["): return try nested { reader throws(JSONFault) in try reader.readArray() }
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", as: .boolean(true))
        case UInt8(ascii: "f"): return try readWord("false", as: .boolean(false))
        case UInt8(ascii: "n"): return try readWord("null", as: .null)
        default: return try readNumber()
        }
    }

    private mutating func nested(
        _ read: (inout JSONReader) throws(JSONFault) -> JSONValue
    ) throws(JSONFault) -> JSONValue {
        depth += 1
        guard depth <= Self.maximumDepth else { throw JSONFault("the JSON is nested too deeply") }
        position += 1
        let value = try read(&self)
        depth -= 1
        return value
    }

    private mutating func readWord(_ word: String, as value: JSONValue) throws(JSONFault) -> JSONValue {
        for byte in word.utf8 {
            guard take(byte) else { throw JSONFault("the JSON has a word that it doesn't know") }
        }
        return value
    }

    private mutating func readArray() throws(JSONFault) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            skipSpace()
            elements.append(try readValue())
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw JSONFault("an array of the JSON has no end") }
        return .array(elements)
    }

    private mutating func readObject() throws(JSONFault) -> JSONValue {
        var members: [JSONValue.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            let member = try readMember()
            guard !members.contains(where: { $0.name == member.name }) else {
                throw JSONFault("an object of the JSON has “\(member.name)” twice")
            }
            members.append(member)
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw JSONFault("an object of the JSON has no end") }
        return .object(members)
    }

    private mutating func readMember() throws(JSONFault) -> JSONValue.Member {
        skipSpace()
        let name = try readString()
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw JSONFault("a member of the JSON has no value") }
        skipSpace()
        let value = try readValue()
        skipSpace()
        return JSONValue.Member(name: name, value: value)
    }
}

extension JSONReader {
    private mutating func readNumber() throws(JSONFault) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let leadingZero = next == UInt8(ascii: "0")
        let whole = skipDigits()
        guard whole > 0, !(leadingZero && whole > 1) else { throw JSONFault("the text is no JSON value") }
        if take(UInt8(ascii: ".")), skipDigits() == 0 { throw JSONFault("a number of the JSON has an empty fraction") }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw JSONFault("a number of the JSON has an empty exponent") }
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            position += 1
        }
        return position - start
    }

    private mutating func readString() throws(JSONFault) -> String {
        guard take(UInt8(ascii: "\"")) else { throw JSONFault("a string of the JSON has no beginning") }
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try Self.text(content)
            case UInt8(ascii: "\\"): content += Array(try readEscape().utf8)
            case 0..<0x20: throw JSONFault("a string of the JSON has a control character")
            default: content.append(byte)
            }
        }
        throw JSONFault("a string of the JSON has no end")
    }

    private static func text(_ bytes: [UInt8]) throws(JSONFault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw JSONFault("a string of the JSON is not UTF-8")
        }
        return text
    }

    private mutating func readEscape() throws(JSONFault) -> String {
        guard let byte = next else { throw JSONFault("a string of the JSON has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return String(try readScalar())
        default: throw JSONFault("a string of the JSON has an unknown escape")
        }
    }

    private mutating func readScalar() throws(JSONFault) -> Character {
        let unit = try readUnit()
        guard (0xD800..<0xDC00).contains(unit) else { return try Self.character(unit) }
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw JSONFault("the JSON has a lone surrogate")
        }
        let low = try readUnit()
        guard (0xDC00..<0xE000).contains(low) else { throw JSONFault("the JSON has a lone surrogate") }
        return try Self.character(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    }

    private static func character(_ value: UInt32) throws(JSONFault) -> Character {
        guard let scalar = Unicode.Scalar(value) else { throw JSONFault("the JSON has a lone surrogate") }
        return Character(scalar)
    }

    private mutating func readUnit() throws(JSONFault) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw JSONFault("the JSON has an escape without four hex digits") }
        position += 4
        return unit
    }
}
