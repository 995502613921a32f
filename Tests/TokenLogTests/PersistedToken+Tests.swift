import Secrets
import TokenCache
import TokenLog
import TokenProtocol

extension PersistedToken {
    /// Creates a user's token.
    static func of(
        _ subject: String,
        field: LookupField = .subject,
        scope: String = "user_default",
        lastUsed: Instant? = nil,
        padding: Int = 0
    ) -> PersistedToken {
        let token = AccessToken("token-of-\(subject)." + String(repeating: "x", count: padding))
        return PersistedToken(
            tenant: "main",
            identity: .init(host: "https://one.example", clientID: "client"),
            user: UserLookup(field: field, value: subject),
            scopes: ScopeSet(scope) ?? ScopeSet.test,
            token: EncodedToken(onHeap: token, scope: scope, expiresAt: "2026-11-24T12:00:00Z"),
            sent: .now - .seconds(100),
            lifetime: .milliseconds(21_600_500),
            jitterFraction: 0.25,
            arrived: .now - .seconds(99),
            lastUsed: lastUsed,
            isUnrequested: false,
            replacedReported: false,
            owner: 1_000
        )
    }

    /// The user.
    var subject: String { String(decoding: user.value, as: UTF8.self) }
}

extension ScopeSet {
    /// A replacement for a misspelt scope of a test, so that an expectation fails and not the test process.
    fileprivate static let test = [ScopeSet("misspelt")].compactMap(\.self)[0]
}

extension TokenLog {
    /// All tokens that the log restores.
    var restored: [(recordID: Int, token: PersistedToken)] {
        var restored: [(recordID: Int, token: PersistedToken)] = []
        restore { recordID, token in
            restored.append((recordID, token))
            return true
        }
        return restored
    }
}

extension SecretBytes {
    /// A copy for comparison.
    var copy: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
