import TokenCache
import TokenProtocol

extension TokenKey {
    /// Creates the key of a subject of the tenant `main` with its default scope.
    static func of(_ subject: String, tenant: TenantID = "main", scope: String = "user_default") -> TokenKey {
        TokenKey(
            tenant: tenant,
            user: UserLookup(field: .subject, value: subject),
            scopes: ScopeSet(scope) ?? .none
        )
    }
}

extension ScopeSet {
    /// A replacement for a misspelt scope of a test, so that an expectation fails and not the test process.
    fileprivate static let none = [ScopeSet("misspelt")].compactMap(\.self)[0]
}
