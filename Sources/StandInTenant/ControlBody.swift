/// The members of a control request's body, taken out one by one.
struct ControlBody {
    private var members: [String: JSONValue] = [:]

    /// Reads the body; an empty one has no members.
    init(_ request: IncomingRequest) throws {
        guard request.method == "POST" else { throw StandInTenant.Fault("the method should be POST") }
        guard !request.body.isEmpty else { return }
        do {
            guard case .object(let members) = try JSONReader.value(of: request.body) else {
                throw JSONFault("the body is no object")
            }
            self.members = Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
        } catch let fault as JSONFault {
            throw StandInTenant.Fault(fault.sentence)
        }
    }

    /// A string, where there is one.
    mutating func string(_ name: String) throws -> String? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard let text = value.text else { throw StandInTenant.Fault("\(name) should be a string") }
        return text
    }

    /// A string that has to be there.
    mutating func required(_ name: String) throws -> String {
        guard let text = try string(name) else { throw StandInTenant.Fault("\(name) is missing") }
        return text
    }

    /// A whole number of a range, where there is one.
    mutating func integer(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw StandInTenant.Fault("\(name) should be a whole number in \(range)")
        }
        return number
    }

    /// A list of strings, where there is one.
    mutating func list(_ name: String) throws -> [String]? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        let texts = value.elements?.compactMap(\.text)
        guard let texts, texts.count == value.elements?.count else {
            throw StandInTenant.Fault("\(name) should be a list of strings")
        }
        return texts
    }

    /// The members of an object of strings, in their order; none where there is no such object.
    mutating func strings(_ name: String) throws -> [(name: String, text: String)] {
        guard let value = members.removeValue(forKey: name) else { return [] }
        guard case .object(let members) = value else { throw StandInTenant.Fault("\(name) should be an object") }
        return try members.map { member in
            guard let text = member.value.text else { throw StandInTenant.Fault("\(member.name) should be a string") }
            return (member.name, text)
        }
    }

    /// Whether a member is null; it is then taken.
    mutating func takeNull(_ name: String) -> Bool {
        guard members[name] == .null else { return false }
        members[name] = nil
        return true
    }

    /// Makes sure that every member was taken.
    func end() throws {
        guard let name = members.keys.min() else { return }
        throw StandInTenant.Fault("there is no \(name)")
    }
}
