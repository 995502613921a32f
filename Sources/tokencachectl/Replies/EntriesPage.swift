import OperatorReplies

/// The reply to `entries`: a page of the cache's content, without the tokens themselves.
package struct EntriesPage: Decodable {
    struct Entry: Decodable {
        var tenant: String
        var subject: String?
        var userID: String?
        var client: String?
        /// The scopes, separated by spaces, empty if a client's token has all that the client may have.
        var scope: String
        var state: KeyState
        /// The time since the daemon asked the tenant for the token, in whole seconds.
        var age: Int
        /// The remaining lifetime in whole seconds.
        var expiresIn: Int
        /// The time since an application last asked for the token, in whole seconds, or nil if none has.
        var lastUsed: Int?
        /// The time until a timer starts the token's refresh, in whole seconds, or nil if none is planned.
        var nextRefresh: Int?
        var fingerprint: String

        private enum CodingKeys: String, CodingKey {
            case tenant, subject, client, scope, state, age, fingerprint
            case userID = "user_id"
            case expiresIn = "expires_in"
            case lastUsed = "last_used"
            case nextRefresh = "next_refresh"
        }
    }

    var entries: [Entry]
    /// The cursor that the next page starts after, or nil if this page is the last.
    var next: String?
}
