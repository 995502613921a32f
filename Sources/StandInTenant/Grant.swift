/// What a call that succeeds is granted.
package struct Grant: Sendable, Equatable {
    /// The access token.
    package var token: String
    /// The scopes of the token, as a reply shows them.
    package var scope: String
    /// How many seconds the token lives; negative ones lie in the past.
    package var lifetime: Int
    /// The refresh token, for a reply that has one.
    package var refreshToken: String

    /// Names what is granted.
    package init(token: String, scope: String, lifetime: Int, refreshToken: String = "") {
        self.token = token
        self.scope = scope
        self.lifetime = lifetime
        self.refreshToken = refreshToken
    }
}
