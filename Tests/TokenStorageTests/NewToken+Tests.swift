import Secrets
import TokenProtocol
import TokenStorage

extension NewToken {
    /// A token that can be told from all others by its user's name.
    static func of(
        _ subject: String,
        field: LookupField = .subject,
        scope: String = "user_default",
        padding: Int = 0,
        arrived: Int64 = 2_000_000_000
    ) -> NewToken {
        let token = AccessToken("token-of-\(subject)." + String(repeating: "x", count: padding))
        return NewToken(
            user: UserLookup(field: field, value: subject),
            tokenClass: .of(scope),
            token: token,
            fingerprint: token.fingerprint,
            sent: arrived - 1_000_000_000,
            arrived: arrived,
            lifetime: 21_600_500_000_000,
            jitter: 1 << 14,
            expiresAt: 1_795_000_000,
            owner: 1_000
        )
    }
}

extension TokenClass {
    /// The class of all tokens with a scope.
    static func of(_ scope: String) -> TokenClass {
        TokenClass(
            tenant: "main",
            host: "https://one.example",
            clientID: "client",
            scopes: scope,
            grantedScope: scope
        )
    }
}

extension TokenRecord {
    /// The user's name.
    var subject: String { unsafe String(decoding: user, as: UTF8.self) }

    /// True if the user has this name.
    func hasUser(_ name: String) -> Bool { hasUser(Array(name.utf8).span) }

    /// The token as it is written in JSON.
    var text: String { unsafe String(decoding: escapedToken, as: UTF8.self) }
}
