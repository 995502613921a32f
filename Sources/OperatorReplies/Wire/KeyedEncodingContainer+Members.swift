// The encoding that the compiler synthesizes in this module calls these methods, which write members that would otherwise
// write themselves. The daemon encodes thousands of them on its event loop, where each detour by an existential counts.
extension KeyedEncodingContainer {
    mutating func encode(_ name: some OpenName, forKey key: Key) throws { try encode(name.rawValue, forKey: key) }

    mutating func encode(_ number: Nullable<Double>, forKey key: Key) throws {
        guard let number = number.wrappedValue else { return try encodeNil(forKey: key) }
        try encode(number, forKey: key)
    }

    mutating func encode<Value>(_ member: Nullable<Value>, forKey key: Key) throws {
        guard let value = member.wrappedValue else { return try encodeNil(forKey: key) }
        try encode(value, forKey: key)
    }
}
