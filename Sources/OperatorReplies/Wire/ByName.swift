/// A dictionary that is written as an object with a member for each key, in the order of the keys.
@propertyWrapper
package struct ByName<Key: MemberKey, Value: Codable & Equatable & Sendable>: Sendable, Equatable, Omissible {
    /// The dictionary.
    package var wrappedValue: [Key: Value]

    /// Creates a member.
    package init(wrappedValue: [Key: Value]) { self.wrappedValue = wrappedValue }

    /// Creates an empty dictionary.
    package init() { wrappedValue = [:] }
}

extension ByName: Codable {
    /// Reads the members whose names are keys.
    package init(from decoder: any Decoder) throws {
        self.init()
        let members = try decoder.container(keyedBy: MemberName.self)
        for name in members.allKeys {
            guard let key = Key(name.stringValue) else { continue }
            wrappedValue[key] = try members.decode(Value.self, forKey: name)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: MemberName.self)
        for key in Key.sorted(wrappedValue.keys) {
            guard let value = wrappedValue[key] else { continue }
            try members.encode(value, forKey: MemberName(key.description))
        }
    }
}
