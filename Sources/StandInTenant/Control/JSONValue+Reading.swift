extension JSONValue {
    /// Returns the text of a string, or throws.
    func asText() throws -> String {
        guard let text else { throw StandInTenant.Fault("the value should be a string") }
        return text
    }

    /// Returns a whole number in a range, or throws.
    func asInteger(in range: ClosedRange<Int>) throws -> Int {
        guard let integer, range.contains(integer) else {
            throw StandInTenant.Fault("the value should be a whole number in \(range)")
        }
        return integer
    }

    /// Returns true or false, or throws.
    func asBoolean() throws -> Bool {
        guard case .boolean(let value) = self else { throw StandInTenant.Fault("the value should be true or false") }
        return value
    }

    /// Returns one of an enum's words, or throws.
    func asChoice<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) throws -> Choice {
        guard let choice = text.flatMap({ type.init(rawValue: $0) }) else {
            let words = type.allCases.map(\.rawValue).joined(separator: ", ")
            throw StandInTenant.Fault("the value should be one of: \(words)")
        }
        return choice
    }

    /// Returns the elements of an array, or throws.
    func asArray() throws -> [JSONValue] {
        guard case .array(let elements) = self else { throw StandInTenant.Fault("the value should be an array") }
        return elements
    }

    /// Returns the members of an object, or throws.
    func asObject() throws -> [String: JSONValue] {
        guard case .object(let members) = self else { throw StandInTenant.Fault("the value should be an object") }
        return members
    }

    /// Returns the members of an object, or throws if one has another name than those given.
    func asObject(of names: Set<String>) throws -> [String: JSONValue] {
        let members = try asObject()
        if let other = members.keys.first(where: { !names.contains($0) }) {
            throw StandInTenant.Fault("there is no \(other)")
        }
        return members
    }
}
