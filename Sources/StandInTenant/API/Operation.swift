extension StandInTenant {
    /// An operation of the tenant's API, whose calls are counted and scripted together.
    package enum Operation: String, Sendable, Hashable, CaseIterable, Encodable {
        case listUsers = "users.list"
        case createUser = "users.create"
        case readUser = "users.read"
        case changeUser = "users.change"
        case currentUser = "users.me"
        case listGroups = "groups.list"
        case listTokens = "tokens.list"
        case deleteToken = "tokens.delete"
    }

    /// A group of operations that share a rate limit.
    package enum Tier: Int, Sendable, Hashable, CaseIterable {
        case api = 1  // Everything under `/api/v1/`.
        case tokens = 2  // `/oauth/token` and `/oauth/revoke`.
    }
}
