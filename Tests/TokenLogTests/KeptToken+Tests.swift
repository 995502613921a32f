import Secrets
import TokenCache
import TokenLog
import TokenProtocol

extension KeptToken {
    /// A user's token.
    static func of(
        _ subject: String,
        field: LookupField = .subject,
        scope: String = "user_default",
        lastAsked: Instant? = nil,
        padding: Int = 0
    ) -> KeptToken {
        let token = AccessToken("token-of-\(subject)." + String(repeating: "x", count: padding))
        return KeptToken(
            key: TokenKey(
                tenant: "main",
                user: UserLookup(field: field, value: subject),
                scopes: ScopeSet(scope) ?? ScopeSet.test
            ),
            identity: .init(host: "https://one.example", clientID: "client"),
            token: EncodedToken(accessToken: token, scope: scope, expiresAt: "2026-11-24T12:00:00Z"),
            sent: .now - .seconds(100),
            lifetime: .milliseconds(21_600_500),
            draw: 0.25,
            arrived: .now - .seconds(99),
            lastAsked: lastAsked,
            cameUnasked: false,
            replacedReported: false,
            owner: 1_000
        )
    }

    /// Whose it is.
    var subject: String { String(decoding: key.user.user.value, as: UTF8.self) }
}

extension ScopeSet {
    /// Takes the place of a scope that a test misspelt, so that its expectation fails and not the test process.
    fileprivate static let test = [ScopeSet("misspelt")].compactMap(\.self)[0]
}

extension TokenLog {
    /// All that the log hands over.
    var kept: [(place: Int, token: KeptToken)] {
        var kept: [(place: Int, token: KeptToken)] = []
        handOver { place, token in
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
