/// A JSON value that keeps numbers as they are written.
///
/// The stand-in has its own JSON, so that a fault in the daemon's reader can't hide behind the same fault here. Numbers
/// are text because a reply may have to carry one that no number type can hold, such as `1e400`.
package enum JSONValue: Sendable, Equatable {
    /// A member of an object, in the order in which it stands there.
    package struct Member: Sendable, Equatable {
        /// The member's name, unescaped.
        package var name: String
        /// The member's value.
        package var value: JSONValue

        /// A member.
        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number, as written.
    case number(String)
    /// A string, unescaped.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object; no two members have the same name where it was read.
    case object([Member])
}

extension JSONValue {
    /// Makes an object of pairs in their order.
    package static func members(_ pairs: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(pairs.map { pair in Member(name: pair.key, value: pair.value) })
    }

    /// Makes a number of an integer.
    package static func integer(_ value: Int) -> JSONValue {
        .number(String(value))
    }

    /// The member of an object, or nothing where it is missing or this is no object.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The text of a string.
    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value of a number that is written as an integer.
    package var integer: Int? {
        guard case .number(let literal) = self else { return nil }
        return Int(literal)
    }

    /// The elements of an array.
    package var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}

extension JSONValue {
    /// The value as JSON text, without white space.
    package var encoded: String {
        var output = ""
        encode(into: &output)
        return output
    }

    private func encode(into output: inout String) {
        switch self {
        case .null: output += "null"
        case .boolean(let value): output += value ? "true" : "false"
        case .number(let literal): output += literal
        case .string(let text): Self.encode(text, into: &output)
        case .array(let elements): Self.encode(elements, into: &output)
        case .object(let members): Self.encode(members, into: &output)
        }
    }

    private static func encode(_ elements: [JSONValue], into output: inout String) {
        output += "["
        for (index, element) in elements.enumerated() {
            if index > 0 { output += "," }
            element.encode(into: &output)
        }
        output += "]"
    }

    private static func encode(_ members: [Member], into output: inout String) {
        output += "{"
        for (index, member) in members.enumerated() {
            if index > 0 { output += "," }
            encode(member.name, into: &output)
            output += ":"
            member.value.encode(into: &output)
        }
        output += "}"
    }

    private static func encode(_ text: String, into output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case _ where scalar.value < 0x20:
                output +=
                    "\\u00" + (scalar.value < 0x10 ? "0" : "")
                    + String(scalar.value, radix: 16)
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
