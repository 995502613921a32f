/// The reply to `explain`: what the next answer for a key would be, and why.
package struct ExplainReply: Sendable, Equatable {
    /// The key as the daemon has resolved it, or nil if an older daemon doesn't name it.
    package var key: Key?
    /// The state of the key.
    package var state: KeyState
    /// The origin of the next answer.
    package var source: Source
    /// A sentence that says why.
    package var reason: String
    /// The cached token, or nil if there is none.
    package var token: Token?
    /// The token's next refresh, or nil if none is planned.
    package var refresh: Refresh?
    /// The last failure to mint a token for this key, while the daemon takes it into account.
    package var lastError: Failure?
    /// The time in seconds until a failed refresh is tried again.
    package var backoff: Double?
    /// The fleet's part, or nil if the daemon is in none.
    package var fleet: Fleet?
    package var tenant: Tenant

    /// Creates a reply without a token.
    package init(state: KeyState, source: Source, reason: String, tenant: Tenant) {
        self.state = state
        self.source = source
        self.reason = reason
        self.tenant = tenant
    }
}

extension ExplainReply {
    /// The cached token, without its text.
    package struct Token: Sendable, Equatable, Codable {
        /// The remaining lifetime in whole seconds.
        package var expiresIn: Int
        /// The end of the lifetime by the wall clock, in RFC 3339's form.
        package var expiresAt: String
        /// The time since the daemon asked the tenant for it, in whole seconds.
        package var age: Int
        /// The time since an application last asked for it, in whole seconds, or nil if none has.
        package var lastUsed: Int?
        package var fingerprint: String

        package init(expiresIn: Int, expiresAt: String, age: Int, lastUsed: Int?, fingerprint: String) {
            self.expiresIn = expiresIn
            self.expiresAt = expiresAt
            self.age = age
            self.lastUsed = lastUsed
            self.fingerprint = fingerprint
        }

        enum CodingKeys: String, CodingKey {
            case expiresIn = "expires_in"
            case expiresAt = "expires_at"
            case age
            case lastUsed = "last_used"
            case fingerprint
        }
    }

    /// The next refresh of a token.
    package struct Refresh: Sendable, Equatable, Codable {
        /// The time in seconds until it starts, or nil if that isn't known.
        @Nullable package var seconds: Double?
        package var cause: Cause

        package init(seconds: Double?, cause: Cause) {
            self.seconds = seconds
            self.cause = cause
        }

        private enum CodingKeys: String, CodingKey {
            case seconds = "in"
            case cause
        }
    }

    /// The state of the key's tenant.
    package struct Tenant: Sendable, Equatable, Codable {
        package var circuit = CircuitState.closed
        package var client = ClientState.trusted
        /// The time in seconds for which the tenant takes no calls, or nil if it takes them.
        @Nullable package var hold: Double?
        /// The time in seconds for which a caller's call would wait for its turn.
        package var wait = 0.0
        package init() {}
    }
}
