package import OperatorReplies

/// A page of the cache's entries: everything about the tokens except the tokens themselves.
package struct EntriesReply: Sendable, Equatable {
    /// One token of the cache.
    package struct Entry: Sendable, Equatable {
        package var tenant: String
        package var user: UserLookup
        package var scopes: ScopeSet
        /// The token's state: `fresh`, `due`, `refreshing` or `expiring`.
        package var state: KeyState
        /// The whole seconds since the token was requested from the tenant.
        package var age: Int
        /// The whole seconds that are left.
        package var expiresIn: Int
        /// The end by the wall clock, for display.
        package var expiresAt: String
        /// The whole seconds since the last request for the token, or nil if there was none.
        package var lastUsed: Int?
        /// The whole seconds until a timer starts the token's refresh, or nil if none is planned.
        package var nextRefresh: Int?
        package var fingerprint: String

        package init(
            tenant: String,
            user: UserLookup,
            scopes: ScopeSet,
            state: KeyState,
            age: Int,
            expiresIn: Int,
            expiresAt: String,
            lastUsed: Int?,
            nextRefresh: Int?,
            fingerprint: String
        ) {
            self.tenant = tenant
            self.user = user
            self.scopes = scopes
            self.state = state
            self.age = age
            self.expiresIn = expiresIn
            self.expiresAt = expiresAt
            self.lastUsed = lastUsed
            self.nextRefresh = nextRefresh
            self.fingerprint = fingerprint
        }
    }

    /// The entries of the page.
    package var entries: [Entry]
    /// The cursor of the next page, or nil if this was the last one.
    package var next: String?

    /// Creates a page.
    package init(entries: [Entry], next: String?) {
        self.entries = entries
        self.next = next
    }
}
