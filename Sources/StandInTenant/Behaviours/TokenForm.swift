/// The form of a reply with a token: the members of its JSON, and the faults in it.
package struct TokenForm: Sendable, Equatable {
    /// The value of `expires_in`.
    package enum ExpiresIn: Sendable, Equatable {
        case absent
        case lifetime
        case lifetimeAsText  // As a JSON string.
        case literal(String)  // A text that is put into the JSON unchanged.
    }

    /// The value of `expires_at`.
    package enum ExpiresAt: Sendable, Equatable {
        case absent
        case lifetime
        case seconds(Int)  // The time that many seconds ahead.
        case text(String)
    }

    /// The value of `scope`.
    package enum Scope: Sendable, Equatable {
        case absent
        case requested  // All of the client's scopes if none was requested.
        case other(String)
    }

    /// A fault in the JSON.
    package enum Damage: Sendable, Equatable {
        case truncated  // The second half is missing.
        case byteOrderMark
        case invalidUTF8  // In a string.
        case duplicateMember  // `access_token` occurs twice.
        case nestedArrays(Int)  // A further member holds that many.
    }

    /// The token's real lifetime in seconds, negative for the past, in place of the stand-in's setting.
    package var lifetime: Int?
    package var type = "bearer"
    package var expiresIn = ExpiresIn.lifetime
    package var expiresAt = ExpiresAt.lifetime
    package var scope = Scope.requested
    package var hasRefreshToken = false
    /// The token's length, in place of the stand-in's setting.
    package var tokenBytes: Int?
    /// A text that follows the token within `access_token`.
    package var tokenSuffix = ""
    package var damage: Damage?
    /// The status with which a revocation of this token is refused, if it is.
    package var revocationStatus: Int?

    /// The tenant's usual form, with the expiry given both ways.
    package init() {}
}
