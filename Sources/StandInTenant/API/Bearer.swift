/// The permissions of a live access token at the API.
struct Bearer: Sendable, Equatable {
    private let scopes: Set<String>
    /// True for a client's own token.
    ///
    /// A user's token opens nothing that is an administrator's, whatever its scope is.
    private let isClient: Bool

    /// The permissions of a token that was issued for a key.
    init(_ key: StandInTenant.MintKey, scope: String) {
        scopes = Set(scope.split(separator: " ").map(String.init))
        isClient = key.field == .client
    }

    /// The permissions of an administrator.
    static let administrator = Bearer(.init(field: .client, value: ""), scope: "admin_classic")

    /// True if it sees everything of all users, and may change them.
    var managesUsers: Bool { isClient && (scopes.contains("admin.users") || scopes.contains("admin_classic")) }

    /// True if it sees and deletes the tokens of all users.
    var managesTokens: Bool { isClient && scopes.contains("admin_classic") }

    /// Returns true if it may call an operation.
    func allows(_ operation: StandInTenant.Operation) -> Bool {
        switch operation {
        case .currentUser: true
        case .listUsers, .readUser: managesUsers || scopes.contains("user_default")
        case .createUser, .changeUser, .listGroups: managesUsers
        case .listTokens, .deleteToken: managesTokens
        }
    }
}
