/// The target of a request under `/api/v1/`.
struct APITarget: Sendable, Equatable {
    static let prefix = "/api/v1/"

    var operation: StandInTenant.Operation
    /// The last part of the path, if it names a user or a token.
    var id = ""
    /// The text after the question mark.
    var query = ""

    /// Finds the operation of a method and a target, and throws if there is none.
    init(_ method: String, _ target: String) throws(StandInTenant.Fault) {
        let parts = target.dropFirst(Self.prefix.count).split(
            separator: "?",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let path = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1 { query = String(parts[1]) }
        guard let resource = path.first, path.count <= 2,
            let operation = Self.operation(method, resource, path.count == 2 ? path[1] : nil)
        else { throw StandInTenant.Fault("there is no \(method) \(target)") }
        self.operation = operation
        if path.count == 2 { id = try QueryText.decode(path[1]) }
    }

    private static func operation(_ method: String, _ resource: String, _ id: String?) -> StandInTenant.Operation? {
        switch (method, resource, id) {
        case ("GET", "users", nil): .listUsers
        case ("POST", "users", nil): .createUser
        case ("GET", "users", "me"): .currentUser
        case ("GET", "users", .some(let id)) where !id.isEmpty: .readUser
        case ("PATCH", "users", .some(let id)) where !id.isEmpty: .changeUser
        case ("GET", "groups", nil): .listGroups
        case ("GET", "oauth-tokens", nil): .listTokens
        case ("DELETE", "oauth-tokens", .some(let id)) where !id.isEmpty: .deleteToken
        default: nil
        }
    }
}
