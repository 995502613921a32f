package import Secrets
package import TokenProtocol

/// A token that is to be stored, with all that its record holds.
///
/// Times are nanoseconds since the machine's boot (``BootClock``).
package struct NewToken {
    /// The owner of the token.
    package var user: UserLookup
    /// The texts that it shares with other tokens.
    package var tokenClass: TokenClass
    /// The token as the tenant sent it.
    package var token: AccessToken
    /// The SHA-256 of the token.
    package var fingerprint: Fingerprint
    /// The time at which it was requested from the tenant.
    package var sent: Int64
    /// The time at which it was received.
    package var arrived: Int64
    /// The time of the last request for it, or ``TokenRecord/never``.
    package var lastUsed: Int64
    /// The lifetime from ``sent`` on, in nanoseconds.
    ///
    /// It is kept in whole milliseconds, up to 37 hours.
    package var lifetime: Int64
    /// The random number of this token, as a share of 2¹⁶.
    package var jitter: UInt16
    /// The expiry by the wall clock in seconds since 1970, for display only.
    package var expiresAt: UInt32
    /// True if no request caused its mint.
    package var isUnrequested: Bool
    /// True if it replaced a token that an app had reported as rejected.
    package var replacedReported: Bool
    /// The uid that owns it.
    package var owner: UInt32
    /// The number by which the machines of a fleet order mints and drops, or zero for a token that no fleet knows of.
    package var fence: Int64

    /// Creates a token that is to be stored.
    package init(
        user: UserLookup,
        tokenClass: TokenClass,
        token: AccessToken,
        fingerprint: Fingerprint,
        sent: Int64,
        arrived: Int64,
        lastUsed: Int64 = TokenRecord.never,
        lifetime: Int64,
        jitter: UInt16,
        expiresAt: UInt32,
        isUnrequested: Bool = false,
        replacedReported: Bool = false,
        owner: UInt32,
        fence: Int64 = 0
    ) {
        self.user = user
        self.tokenClass = tokenClass
        self.token = token
        self.fingerprint = fingerprint
        self.sent = sent
        self.arrived = arrived
        self.lastUsed = lastUsed
        self.lifetime = lifetime
        self.jitter = jitter
        self.expiresAt = expiresAt
        self.isUnrequested = isUnrequested
        self.replacedReported = replacedReported
        self.owner = owner
        self.fence = fence
    }
}
