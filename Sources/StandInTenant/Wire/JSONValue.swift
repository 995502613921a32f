import FoundationEssentials

/// A JSON value in a request.
package enum JSONValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The member of an object, if this is one that has it.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value of a whole number, unless it is too large for a `Double` to be exact.
    package var integer: Int? {
        guard case .number(let number) = self, abs(number) < 0x1p53 else { return nil }
        return Int(exactly: number)
    }
}

extension JSONValue: Decodable {
    /// Reads JSON as strictly as RFC 8259 allows.
    ///
    /// Foundation accepts more: UTF-16, a byte-order mark, a comma before an end, and a name that occurs twice.
    package init(json: [UInt8]) throws(StandInTenant.Fault) {
        guard !json.contains(0), !json.starts(with: [0xEF, 0xBB, 0xBF]) else {
            throw StandInTenant.Fault("the JSON has a NUL or a byte-order mark")
        }
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(json)) else {
            throw StandInTenant.Fault("the text is no JSON")
        }
        let colons = try Self.countColons(in: json)
        guard colons == value.memberCount else { throw StandInTenant.Fault("an object of the JSON has a name twice") }
        self = value
    }

    /// Reads the value that Foundation has found.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self =
            try container.decodeNil()
            ? .null
            : (try? .boolean(container.decode(Bool.self))) ?? (try? .number(container.decode(Double.self)))
                ?? (try? .string(container.decode(String.self))) ?? (try? .array(container.decode([JSONValue].self)))
                ?? .object(container.decode([String: JSONValue].self))
    }

    /// Counts the colons outside strings, one for each member as written.
    private static func countColons(in json: [UInt8]) throws(StandInTenant.Fault) -> Int {
        var (colons, isString, isEscaped, last) = (0, false, false, UInt8(ascii: " "))
        for byte in json where isString || byte > UInt8(ascii: " ") {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\"") {
                isString.toggle()
            } else if isString {
                isEscaped = byte == UInt8(ascii: "\\")
            } else if last == UInt8(ascii: ","), "]}".utf8.contains(byte) {
                throw StandInTenant.Fault("the JSON has a comma before an end")
            } else if byte == UInt8(ascii: ":") {
                colons += 1
            }
            last = byte
        }
        return colons
    }

    /// The number of members in all objects.
    private var memberCount: Int {
        switch self {
        case .array(let elements): elements.reduce(0) { $0 + $1.memberCount }
        case .object(let members): members.values.reduce(members.count) { $0 + $1.memberCount }
        case .null, .boolean, .number, .string: 0
        }
    }
}
