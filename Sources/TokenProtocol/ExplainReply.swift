/// Why the next answer for a key would be what it is.
package struct ExplainReply: Sendable, Equatable {
    /// What there is of a key.
    package enum State: String, Sendable {
        /// A token that is served as it is.
        case fresh
        /// A token that is served, and the next request starts its refresh.
        case due
        /// A token that is served while a new one is being minted.
        case refreshing
        /// A token with too little left; the next request waits for a new one.
        case expiring
        /// No token, and one is being minted.
        case minting
        /// No token, and the tenant has refused the user lately.
        case refused
        /// No token, and a mint has just failed.
        case failing
        /// Nothing.
        case absent
    }

    /// Where the next answer would come from.
    package enum Source: String, Sendable {
        case cache
        case tenant
        case error
    }

    /// The cached token, without the token.
    package struct Token: Sendable, Equatable {
        /// Whole seconds left.
        package var expiresIn: Int
        /// By the wall clock.
        package var expiresAt: String
        /// Whole seconds since it was asked of the tenant.
        package var age: Int
        /// Whole seconds since somebody asked for it; nil: never.
        package var lastUsed: Int?
        package var fingerprint: String

        package init(expiresIn: Int, expiresAt: String, age: Int, lastUsed: Int?, fingerprint: String) {
            self.expiresIn = expiresIn
            self.expiresAt = expiresAt
            self.age = age
            self.lastUsed = lastUsed
            self.fingerprint = fingerprint
        }
    }

    /// When the token is renewed next, and what makes it so.
    package struct Refresh: Sendable, Equatable {
        package enum Cause: String, Sendable {
            /// The first request from then on starts it.
            case ahead
            /// A timer starts it, as the token is in use.
            case refreshDeadline = "last_chance"
            /// It has failed and is tried again then.
            case backoff
            /// It waits for its turn.
            case queued
            /// It is under way.
            case underWay = "under_way"
        }

        /// Seconds until then; nil: nobody knows.
        package var seconds: Double?
        package var cause: Cause

        package init(seconds: Double?, cause: Cause) {
            self.seconds = seconds
            self.cause = cause
        }
    }

    /// How things stand with the tenant.
    package struct Tenant: Sendable, Equatable {
        package var circuit = "closed"
        package var client = "trusted"
        /// Seconds that the tenant wants to be left alone.
        package var hold: Double?
        /// Seconds that a caller's call would wait for its turn.
        package var wait = 0.0
        package init() {}
    }

    package var state: State
    package var source: Source
    /// One sentence that says why.
    package var reason: String
    package var token: Token?
    package var refresh: Refresh?
    /// What a mint of this key last failed with, as long as it counts.
    package var lastError: ErrorReply?
    /// Seconds until a failed refresh is tried again.
    package var backoff: Double?
    package var tenant: Tenant

    /// Makes it.
    package init(state: State, source: Source, reason: String, tenant: Tenant) {
        self.state = state
        self.source = source
        self.reason = reason
        self.tenant = tenant
    }
}
