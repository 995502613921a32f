extension ExplainReply: Codable {
    // The members of the token and of the tenant stand beside these.
    private enum CodingKeys: String, CodingKey {
        case key
        case state
        case source
        case reason
        case refresh = "next_refresh"
        case lastError = "last_error"
        case backoff
        case fleet
    }

    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        key = try members.decodeIfPresent(Key.self, forKey: .key)
        state = try members.decode(KeyState.self, forKey: .state)
        source = try members.decode(Source.self, forKey: .source)
        reason = try members.decode(String.self, forKey: .reason)
        refresh = try members.decodeIfPresent(Refresh.self, forKey: .refresh)
        lastError = try members.decodeIfPresent(Failure.self, forKey: .lastError)
        backoff = try members.decodeIfPresent(Double.self, forKey: .backoff)
        fleet = try members.decodeIfPresent(Fleet.self, forKey: .fleet)
        let hasToken = try decoder.container(keyedBy: Token.CodingKeys.self).contains(.fingerprint)
        token = hasToken ? try Token(from: decoder) : nil
        tenant = try Tenant(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(key, forKey: .key)
        try members.encode(state, forKey: .state)
        try members.encode(source, forKey: .source)
        try members.encode(reason, forKey: .reason)
        try token?.encode(to: encoder)
        try members.encode(Nullable(wrappedValue: refresh), forKey: .refresh)
        try members.encode(Nullable(wrappedValue: lastError), forKey: .lastError)
        try members.encode(Nullable(wrappedValue: backoff), forKey: .backoff)
        try members.encodeIfPresent(fleet, forKey: .fleet)
        try tenant.encode(to: encoder)
    }
}
