extension TokenForm.Damage {
    /// The bytes of an object, damaged unless the damage is one of its members.
    func bytes(of json: String) -> [UInt8] {
        let text = Array(json.utf8)
        return switch self {
        case .truncated: Array(text.prefix(text.count / 2))
        case .byteOrderMark: [0xEF, 0xBB, 0xBF] + text
        case .invalidUTF8: text.dropLast() + Array(#","note":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8)
        case .duplicateMember, .nestedArrays: text
        }
    }

    /// Adds the wrong member to an object that isn't empty: its first one once more, or nested arrays.
    func addingMembers(to json: String) -> String {
        switch self {
        case .duplicateMember: "{" + (json.dropFirst().split(separator: ":").first ?? "") + ":null," + json.dropFirst()
        case .nestedArrays: "{\"nested\":\(nestedArrays ?? "[]")," + json.dropFirst()
        case .truncated, .byteOrderMark, .invalidUTF8: json
        }
    }

    /// The nested arrays, if that is the damage.
    var nestedArrays: String? {
        guard case .nestedArrays(let depth) = self else { return nil }
        return String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
}
