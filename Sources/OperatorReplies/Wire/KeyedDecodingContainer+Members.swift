// The decoding that the compiler synthesizes in this module calls these methods in place of the standard library's, which
// have the same names and require each member to be present.
extension KeyedDecodingContainer {
    /// Reads a group of members.
    func decode<Value: Omissible>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try decodeIfPresent(type, forKey: key) ?? Value()
    }

    /// Reads a count, which is zero if it is absent.
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try decodeIfPresent(type, forKey: key) ?? 0 }

    /// Reads a count.
    ///
    /// A number that doesn't fit counts as the nearest integer that does.
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        guard contains(key), try !decodeNil(forKey: key) else { return nil }
        if let number = try? required(type, key) { return number }
        return Int(nearest: try required(Double.self, key))
    }

    /// Reads seconds, which are zero if they are absent.
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try decodeIfPresent(type, forKey: key) ?? 0 }

    /// Reads a member by the standard library's method, which a generic call selects.
    private func required<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value {
        try decode(type, forKey: key)
    }
}
