extension StatsReply {
    /// Requests by operation and by outcome.
    package struct Requests: Sendable, Equatable, Omissible {
        /// The number of requests by the operation's name on the wire.
        package var byOperation: [String: Int] = [:]
        package var hits = 0
        package var misses = 0
        /// Requests that shared another one's mint.
        package var coalesced = 0
        /// Requests that were answered by a remembered denial or failure.
        package var negatives = 0
        /// The number of errors by code on the wire.
        package var errors: [String: Int] = [:]
        package init() {}
    }
}

extension StatsReply.Requests: Codable {
    // The operations' counts are members beside these.
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case hits = "hit"
        case misses = "miss"
        case coalesced
        case negatives = "negative"
        case errors = "error"
    }

    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        hits = try members.decode(Int.self, forKey: .hits)
        misses = try members.decode(Int.self, forKey: .misses)
        coalesced = try members.decode(Int.self, forKey: .coalesced)
        negatives = try members.decode(Int.self, forKey: .negatives)
        errors = try members.decode(ByName<String, Int>.self, forKey: .errors).wrappedValue
        let counts = try decoder.container(keyedBy: MemberName.self)
        for name in counts.allKeys where CodingKeys(stringValue: name.stringValue) == nil {
            byOperation[name.stringValue] = try? counts.decode(Int.self, forKey: name)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        try ByName(wrappedValue: byOperation).encode(to: encoder)
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(hits, forKey: .hits)
        try members.encode(misses, forKey: .misses)
        try members.encode(coalesced, forKey: .coalesced)
        try members.encode(negatives, forKey: .negatives)
        try members.encode(ByName(wrappedValue: errors), forKey: .errors)
    }
}
