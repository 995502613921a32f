import Secrets
import TokenCache
import TokenLog
import TokenProtocol

extension PersistedToken {
    /// A user's token.
    static func of(
        _ subject: String,
        field: LookupField = .subject,
        scope: String = "user_default",
        lastAsked: Instant? = nil,
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
            lastAsked: lastAsked,
            cameUnasked: false,
            replacedReported: false,
            owner: 1_000
        )
    }

    /// Whose it is.
    var subject: String { String(decoding: user.value, as: UTF8.self) }
}

extension ScopeSet {
    /// Takes the place of a scope that a test misspelt, so that its expectation fails and not the test process.
    fileprivate static let test = [ScopeSet("misspelt")].compactMap(\.self)[0]
}

extension TokenLog {
    /// All that the log hands over.
    var kept: [(place: Int, token: PersistedToken)] {
        var kept: [(place: Int, token: PersistedToken)] = []
        restore { place, token in
            kept.append((place, token))
            return true
        }
        return kept
    }
}

extension SecretBytes {
    /// A copy to compare.
    var copy: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
