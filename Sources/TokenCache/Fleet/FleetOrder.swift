package import Secrets
package import TokenProtocol

/// Something that the other machines' cache, the second level, is asked or told.
///
/// Each order that has a call's or a drop's ID is answered by exactly one event with that ID, within the fleet's time-out.
package enum FleetOrder: Sendable, Equatable {
    /// Look a token up.
    case look(CallID, FleetLook)
    /// Pay for a call that mints nothing: ``CacheStateMachine`` sends it when the fleet's bucket allows it.
    case pay(CallID, TenantID, reserve: Double)
    /// Store a minted token, and give its lease back.
    case store(TokenKey, FleetLease, FleetToken)
    /// Give a lease back, with the tenant's denial of the user if there is one.
    case release(TokenKey, FleetLease, FleetRefusal?)
    /// Extend the lease of a mint that takes long.
    case renew(TokenKey, FleetLease)
    /// Drop tokens on all machines.
    case drop(FleetDropID, FleetDrop)
    /// Let one machine revoke a token that several have.
    case claimRevocation(CallID, TenantID, Fingerprint)
    /// Let all machines stop calling a tenant for a time, or end that if it is nil.
    case hold(TenantID, Duration?, FleetLimits.HoldCause)
    /// Read the tenant's hold and bucket anew.
    case state(TenantID)
}

/// A look at the second level.
package struct FleetLook: Sendable, Equatable {
    package var key: TokenKey
    /// The lease to take and the call to pay for if there is no token, or nil for a look that takes nothing.
    package var claim: FleetClaim?
    /// The least time that a token must have left.
    package var minLeft: Duration
    /// The fence that a token must be above, or nil for any.
    package var newerThan: FleetFence?
    /// True if a denial is ignored.
    package var ignoresRefusal: Bool

    /// Creates a look.
    package init(
        key: TokenKey,
        claim: FleetClaim? = nil,
        minLeft: Duration,
        newerThan: FleetFence? = nil,
        ignoresRefusal: Bool = false
    ) {
        self.key = key
        self.claim = claim
        self.minLeft = minLeft
        self.newerThan = newerThan
        self.ignoresRefusal = ignoresRefusal
    }
}

/// The lease that a look takes, and what it pays.
package struct FleetClaim: Sendable, Equatable {
    /// A random name, by which the lease is stored, renewed and given back.
    package var nonce: UInt64
    /// The calls that the bucket must still have afterwards.
    package var reserve: Double

    /// Creates a claim.
    package init(nonce: UInt64, reserve: Double = 0) {
        self.nonce = nonce
        self.reserve = reserve
    }
}

/// The lease of a mint.
package struct FleetLease: Sendable, Equatable {
    package var nonce: UInt64
    /// Its fence, or nil if the answer to the look was lost: then it can only be given back.
    package var fence: FleetFence?

    /// Creates a lease.
    package init(nonce: UInt64, fence: FleetFence?) {
        self.nonce = nonce
        self.fence = fence
    }
}

/// A number that orders mints and drops in the whole fleet: a drop concerns all tokens whose fence is not higher.
///
/// It is about the engine's time in milliseconds, so it grows even if the engine loses its memory. Zero is that of a token
/// of which the fleet doesn't know.
package struct FleetFence: Sendable, Hashable, Comparable {
    /// The fence of a token of which the fleet doesn't know.
    package static let none = FleetFence(0)

    /// The largest number, which the engine's scripts can still count to: 2⁵³.
    ///
    /// A writer of the engine may have written any number.
    private static let largest: Int64 = 1 << 53

    /// The number, from 0 to 2⁵³.
    package let number: Int64

    /// Creates a fence, of the nearest number that is allowed.
    package init(_ number: Int64) { self.number = min(max(0, number), Self.largest) }

    /// Compares the numbers.
    package static func < (left: FleetFence, right: FleetFence) -> Bool { left.number < right.number }
}

/// A token in the second level.
package struct FleetToken: Sendable, Equatable {
    package var token: GrantedToken
    /// Its whole lifetime.
    package var lifetime: Duration
    /// The time at which it expires, by this machine's clock.
    package var expiry: Instant
    /// The fence of its mint.
    package var fence: FleetFence

    /// Creates a token.
    package init(token: GrantedToken, lifetime: Duration, expiry: Instant, fence: FleetFence) {
        self.token = token
        self.lifetime = lifetime
        self.expiry = expiry
        self.fence = fence
    }
}

/// The tenant's denial of a user, which all machines remember for a time.
package struct FleetRefusal: Sendable, Equatable {
    package var upstream: ErrorReply.Upstream
    /// The time that is left of it.
    package var left: Duration

    /// Creates a denial.
    package init(_ upstream: ErrorReply.Upstream, left: Duration) {
        self.upstream = upstream
        self.left = left
    }
}

/// The ID of a drop that other machines are told of.
package struct FleetDropID: Sendable, Hashable {
    /// A number that is never used again.
    package let number: UInt64

    /// Creates an ID.
    package init(_ number: UInt64) { self.number = number }
}

/// A drop of tokens that all machines make.
package struct FleetDrop: Sendable, Equatable {
    /// The tokens that are dropped.
    package enum Target: Sendable, Equatable {
        /// All of a tenant.
        case tenant(TenantID)
        /// A user's, or those with these scopes.
        case user(UserKey, ScopeSet?)
        /// The one with a fingerprint, as an API has rejected it.
        case reported(TokenKey, Fingerprint)
    }

    /// The reason, which says what becomes of the tokens.
    package enum Reason: Sendable, Equatable {
        /// They are only dropped.
        case eviction
        /// The user has logged out: they are revoked, but for those with these fingerprints, which the sender revokes.
        case logout(revoked: [Fingerprint])
    }

    package var target: Target
    package var reason: Reason
    /// The fence of an earlier run of the same drop, which is repeated because the engine may have lost it.
    package var fence: FleetFence?

    /// Creates a drop.
    package init(_ target: Target, _ reason: Reason, fence: FleetFence? = nil) {
        self.target = target
        self.reason = reason
        self.fence = fence
    }

    /// The tenant.
    package var tenant: TenantID {
        switch target {
        case .tenant(let tenant): tenant
        case .user(let user, _): user.tenant
        case .reported(let key, _): key.user.tenant
        }
    }
}
