/// The result of a call that succeeds.
package struct Grant: Sendable, Equatable {
    package var token: String
    /// The token's scopes, as a reply shows them.
    package var scope: String
    /// The token's lifetime in seconds, negative for the past.
    package var lifetime: Int
    /// The refresh token, for a reply that has one.
    package var refreshToken: String

    package init(token: String, scope: String, lifetime: Int, refreshToken: String) {
        self.token = token
        self.scope = scope
        self.lifetime = lifetime
        self.refreshToken = refreshToken
    }
}
