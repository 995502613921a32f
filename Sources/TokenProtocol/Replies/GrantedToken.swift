package import Secrets

/// A token outside the cache's memory, with what the tenant said of it.
///
/// A minted token is one until all who wait for it have it, and so is a copy of a cached token for a reply that waits
/// or for a revocation. It is a class, so that it is handed on by counting one reference.
package final class GrantedToken: Sendable {
    /// The token itself.
    package let accessToken: AccessToken
    /// The scopes that the tenant has granted.
    package let scope: String
    /// The token's end by the wall clock, for display only.
    package let expiresAt: WallTime

    /// Creates a token.
    ///
    /// - Parameter accessToken: Visible ASCII, as RFC 6749's appendix A.12 allows. The tenant's client accepts nothing
    ///   else.
    package init(_ accessToken: AccessToken, scope: String, expiresAt: WallTime) {
        self.accessToken = accessToken
        self.scope = scope
        self.expiresAt = expiresAt
    }

    /// The SHA-256 of the token, computed anew.
    package var fingerprint: Fingerprint { accessToken.fingerprint }
}

extension GrantedToken: Equatable {
    /// True if both have the same token, scope and end.
    package static func == (left: GrantedToken, right: GrantedToken) -> Bool {
        left.accessToken == right.accessToken && left.scope == right.scope && left.expiresAt == right.expiresAt
    }
}
