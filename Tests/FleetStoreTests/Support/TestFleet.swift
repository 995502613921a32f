import FleetProtocol
import FleetStore
import Foundation
import Secrets
import TestSupport
import TokenCache
import TokenProtocol

/// Values for tests of the second level.
enum TestFleet {
    static let host = "https://acme.example"
    static let tenant = TenantID(number: 1, name: "acme")

    /// Keys whose first bytes are given.
    static func keys(_ first: UInt8...) throws -> FleetKeys {
        try keys((first.isEmpty ? [1] : first).map(line).joined())
    }

    /// Keys from the lines of a file.
    static func keys(_ lines: String) throws -> FleetKeys { try FleetKeys(AccessToken(lines).bytes) }

    /// The line of a key of equal bytes.
    static func line(_ byte: UInt8) -> String { Data(repeating: byte, count: 32).base64EncodedString() + "\n" }

    /// A tenant's settings.
    static func settings(
        of host: String = host,
        place: FleetPlace? = nil,
        lease: Duration = .seconds(60)
    ) -> FleetTenant {
        FleetTenant(
            identity: TenantPolicy.Identity(host: host, clientID: "client"),
            ratePerMinute: 60,
            burst: 10,
            lease: lease,
            place: place
        )
    }

    /// A user's key.
    static func key(_ user: String = "ann", scopes: String = "user_default", tenant: TenantID = tenant) -> TokenKey {
        TokenKey(
            tenant: tenant,
            user: UserLookup(field: .subject, value: user),
            scopes: ScopeSet(scopes) ?? .all
        )
    }

    /// A token that lives an hour.
    static func token(_ text: String, fence: FleetFence = .none, life: Duration = .seconds(3_600)) -> FleetToken {
        FleetToken(
            token: GrantedToken(AccessToken(text), scope: "user_default", expiresAt: WallTime(seconds: 1_000)),
            lifetime: .seconds(3_600),
            expiry: ContinuousClock.now + life,
            fence: fence
        )
    }

    /// A look that takes the lease.
    static func claim(_ key: TokenKey, nonce: UInt64, newerThan: FleetFence? = nil) -> FleetLook {
        FleetLook(key: key, claim: FleetClaim(nonce: nonce), minLeft: .seconds(1), newerThan: newerThan)
    }

    /// A look that takes nothing.
    static func peek(_ key: TokenKey) -> FleetLook { FleetLook(key: key, minLeft: .seconds(1)) }
}
