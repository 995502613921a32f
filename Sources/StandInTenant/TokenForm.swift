/// What a reply with a token says of it, and what is wrong with the reply.
package struct TokenForm: Sendable, Equatable {
    /// How long the token really lives.
    package enum Life: Sendable, Equatable {
        /// As long as the stand-in's settings say.
        case configured
        /// A number of seconds; negative ones lie in the past.
        case seconds(Int)
    }

    /// What `expires_in` says.
    package enum ExpiresIn: Sendable, Equatable {
        /// There is none.
        case absent
        /// The token's life, in seconds.
        case life
        /// Another number of seconds.
        case seconds(Int)
        /// The token's life as a JSON string.
        case lifeAsText
        /// A text that goes into the JSON as it stands.
        case literal(String)
    }

    /// What `expires_at` says.
    package enum ExpiresAt: Sendable, Equatable {
        /// There is none.
        case absent
        /// The end of the token's life.
        case life
        /// A time that many seconds from now.
        case seconds(Int)
        /// A text, as it stands.
        case text(String)
    }

    /// What `scope` says.
    package enum Scope: Sendable, Equatable {
        /// There is none.
        case absent
        /// What was asked for, or all of the client's scopes where none was.
        case asked
        /// Something else.
        case other(String)
    }

    /// What is wrong with the JSON.
    package enum Damage: Sendable, Equatable {
        /// The second half of the text is missing.
        case truncated
        /// A byte-order mark stands before it.
        case byteOrderMark
        /// A string in it is not UTF-8.
        case invalidUTF8
        /// `access_token` comes twice.
        case duplicateMember
        /// A further member holds that many arrays in one another.
        case nestedArrays(Int)
    }

    /// How long the token lives.
    package var life = Life.configured
    /// The value of `token_type`.
    package var type = "bearer"
    /// The value of `expires_in`.
    package var expiresIn = ExpiresIn.life
    /// The value of `expires_at`.
    package var expiresAt = ExpiresAt.life
    /// The value of `scope`.
    package var scope = Scope.asked
    /// Whether there is a `refresh_token` too.
    package var hasRefreshToken = false
    /// The token's length; nothing: as the stand-in's settings say.
    package var tokenBytes: Int?
    /// What follows the token within `access_token`.
    package var tokenSuffix = ""
    /// What is wrong with the JSON.
    package var damage: Damage?
    /// The status with which a revocation of this token is answered, where it isn't carried out.
    package var revocationStatus: Int?

    /// The tenant's usual reply: six hours, said both ways.
    package init() {}
}
